const SLOT = 'qdigits kept digits';

export default function ({ data, setStateValue }) {
  if (data.save !== null) {
    localStorage.setItem(SLOT, data.save);
  } else if (!data.known && localStorage.getItem(SLOT)) {
    setStateValue('found', localStorage.getItem(SLOT));
  }
}
