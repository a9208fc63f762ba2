export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector('.frame');
  const photo = new Image();
  photo.src = data.url;
  photo.alt = data.words;
  const boxes = data.boxes.map((box, number) => {
    const button = document.createElement('button');
    const [left, top, width, height] = box.share.map(share => `${100 * share}%`);
    Object.assign(button.style, { left, top, width, height });
    button.className = box.kind;
    button.disabled = box.kind === 'unread';
    button.setAttribute('aria-label', box.words);
    button.title = box.words;
    button.dataset.label = box.label;
    button.onclick = () => setTriggerValue('chosen', number);
    return button;
  });
  frame.replaceChildren(photo, ...boxes);
}
