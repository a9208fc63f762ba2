const PEN = 16;                      // pixels: the width of a stroke
const PAUSE = 100;                   // milliseconds between two drawings that are sent
const SLOT = 'qdigits strokes';      // where a drawing outlives a reload of the page

const pads = {};                     // the strokes outlive every rerun, even a new canvas
let remembered = JSON.parse(sessionStorage.getItem(SLOT) ?? '[]');

/* How far a stroke reaches, in pixels: a tap that slips by a pixel is no ink. */
function reach(stroke) {
  const xs = stroke.map(point => point[0]);
  const ys = stroke.map(point => point[1]);
  return Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
}

export default function ({ key, data, parentElement, setStateValue }) {
  const isNew = !pads[key];
  const pad = pads[key] ??= { strokes: remembered, current: null, timer: null };
  remembered = [];
  const canvas = parentElement.querySelector('canvas');
  const pen = canvas.getContext('2d');

  const draw = () => {
    pen.fillStyle = '#000';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (!pad.strokes.length) {
      pen.fillStyle = '#999';
      pen.font = '1rem sans-serif';
      pen.textAlign = 'center';
      pen.fillText('Draw here', canvas.width / 2, canvas.height / 2);
    }
    pen.strokeStyle = '#fff';
    pen.lineWidth = PEN;
    pen.lineCap = pen.lineJoin = 'round';
    for (const stroke of pad.strokes) {
      pen.beginPath();
      pen.moveTo(...stroke[0]);
      for (const point of stroke) pen.lineTo(...point);
      pen.stroke();
    }
  };

  const fit = () => {
    if (!canvas.clientWidth) return;           // a hidden tab has no size: keep the last one
    canvas.width = canvas.clientWidth;
    canvas.height = canvas.clientHeight;
    draw();
  };

  const send = () => {
    clearTimeout(pad.timer);
    pad.timer = null;
    sessionStorage.setItem(SLOT, JSON.stringify(pad.strokes));
    setStateValue('png', pad.strokes.length ? canvas.toDataURL('image/png') : null);
  };

  /* The answer follows the pen: at most ten times a second, and never for what may be a tap. */
  const sendSoon = () => {
    if (pad.isLive && !pad.timer && reach(pad.current) >= PEN) pad.timer = setTimeout(send, PAUSE);
  };

  const change = action => {
    if (action === 'undo') pad.strokes.pop();
    else pad.strokes.length = 0;
    draw();
    send();
  };

  const at = event => [event.offsetX, event.offsetY];

  canvas.onpointerdown = event => {
    if (!event.isPrimary || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    pad.current = [at(event)];
    pad.isLive = data.live;
    pad.strokes.push(pad.current);
    draw();
  };
  canvas.onpointermove = event => {
    if (!pad.current || !event.isPrimary) return;
    const points = event.getCoalescedEvents?.() ?? [];
    pad.current.push(...(points.length ? points : [event]).map(at));
    draw();
    sendSoon();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!pad.current) return;
    const isTap = reach(pad.current) < PEN;
    pad.current = null;
    if (isTap) {
      pad.strokes.pop();
      draw();
    } else {
      send();
    }
  };
  canvas.onkeydown = event => {
    const isUndo = event.key === 'Backspace' || (event.ctrlKey && event.key === 'z');
    const action = isUndo ? 'undo' : event.key === 'Escape' ? 'clear' : null;
    if (!action) return;
    event.preventDefault();
    change(action);
  };
  for (const button of parentElement.querySelectorAll('button')) {
    button.onclick = () => change(button.dataset.do);
  }

  const watch = new ResizeObserver(fit);
  watch.observe(canvas);
  fit();
  if (isNew && pad.strokes.length) send();     // a drawing from before a reload
  if (isNew && !pad.strokes.length) sessionStorage.removeItem(SLOT);
  canvas.style.visibility = 'var(--digit-pad, hidden)';  // no stroke is lost or moved
  return () => watch.disconnect();
}
