export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector('.grid');
  while (grid.children.length > data.tiles.length) grid.lastChild.remove();
  data.tiles.forEach((tile, number) => {
    let button = grid.children[number];          // the same buttons stay: the focus does, too
    if (!button) {
      button = document.createElement('button');
      button.append(new Image(), document.createElement('span'));
      grid.append(button);
    }
    const [picture, label] = button.children;
    if (picture.src !== tile.url) picture.src = tile.url;
    picture.alt = tile.words;
    label.textContent = tile.label;
    button.className = tile.state;
    button.setAttribute('aria-label', tile.words);
    button.setAttribute('aria-pressed', number === data.selected);
    button.onclick = () => setTriggerValue('chosen', number);
  });
}
