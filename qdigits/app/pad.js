const pads = {};                                 // the strokes outlive every rerun, even a new canvas
export default function ({ key, parentElement, setStateValue }) {
  const pad = pads[key] ??= { strokes: [], current: null };
  const canvas = parentElement.querySelector('canvas'), pen = canvas.getContext('2d');
  const draw = () => {
    pen.fillStyle = '#000'; pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = '#fff'; pen.lineWidth = 16; pen.lineCap = pen.lineJoin = 'round';
    pen.fillStyle = '#999'; pen.font = '1rem sans-serif'; pen.textAlign = 'center';
    if (!pad.strokes.length) pen.fillText('Draw here', canvas.width / 2, canvas.height / 2);
    for (const stroke of pad.strokes) {
      pen.beginPath(); pen.moveTo(...stroke[0]);
      for (const point of stroke) pen.lineTo(...point);
      pen.stroke();
    }
  };
  const fit = () => {                            // a hidden tab has no size: keep the last one
    if (canvas.clientWidth) { canvas.width = canvas.clientWidth; canvas.height = canvas.clientHeight; draw(); }
  };
  const send = () => setStateValue('png', pad.strokes.length ? canvas.toDataURL('image/png') : null);
  const at = e => [e.offsetX, e.offsetY];
  const change = what => { what === 'undo' ? pad.strokes.pop() : pad.strokes.length = 0; draw(); send(); };
  canvas.onpointerdown = e => {
    if (!e.isPrimary || e.button) return;
    canvas.setPointerCapture(e.pointerId); pad.strokes.push(pad.current = [at(e)]); draw();
  };
  canvas.onpointermove = e => {
    if (!pad.current || !e.isPrimary) return;
    const points = e.getCoalescedEvents?.() ?? [];
    pad.current.push(...(points.length ? points : [e]).map(at)); draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => { if (pad.current) { pad.current = null; send(); } };
  canvas.onkeydown = e => {
    const what = { Backspace: 'undo', Escape: 'clear' }[e.key] ?? (e.ctrlKey && e.key === 'z' ? 'undo' : null);
    if (what) { e.preventDefault(); change(what); }
  };
  parentElement.querySelectorAll('button').forEach(b => b.onclick = () => change(b.dataset.do));
  const watch = new ResizeObserver(fit);
  watch.observe(canvas); fit(); canvas.style.visibility = 'var(--digit-pad, hidden)';  // no stroke is lost or moved
  return () => watch.disconnect();
}
