import { useRef, useState } from 'react';
import { serverNow } from '../api.js';
import { useTimeWindow } from '../address.js';
import { boundsOf, dateText, LENGTHS, lengthOf, timeText, type TimeWindow, type Zone } from '../time-window.js';
import { textOf } from './form.js';
import { KioskButton } from './kiosk-button.js';
import './time-bar.css';

/** Lengths that stand as buttons; the others are in the list. */
const BUTTONS = ['15m', '1h', '6h', '24h', '7d', '30d', '1y'];

/** Chooses what part of time a page shows: a length up to now, or fixed; local time or UTC. */
export function TimeBar({ fallback }: { fallback?: string }) {
  const { window, zone, setWindow, setZone } = useTimeWindow(fallback);
  const [choosing, setChoosing] = useState(false);
  const calendar = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setChoosing(false);
    calendar.current?.focus();
  };
  const live = window.kind === 'live';
  const length = live ? window.length : '';
  const known = LENGTHS.some(([each]) => each === length);
  const move = (direction: number): void => {
    const { start, end } = boundsOf(window, serverNow());
    const by = (end - start) * direction;
    setWindow({ kind: 'fixed', start: start + by, end: end + by });
  };
  const widen = (): void => {
    const { start, end } = boundsOf(window, serverNow());
    const by = (end - start) / 2;
    setWindow({ kind: 'fixed', start: start - by, end: Math.min(end + by, Math.max(end, serverNow())) });
  };
  return (
    <div className="time-bar" role="group" aria-label="Time">
      <div className="segments lengths">
        {BUTTONS.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={length === each}
            onClick={() => setWindow({ kind: 'live', length: each })}
          >
            {each}
          </button>
        ))}
      </div>
      <select
        className="field"
        aria-label="Length of time"
        value={live ? length : ''}
        onChange={(event) => event.target.value && setWindow({ kind: 'live', length: event.target.value })}
      >
        {!live && <option value="">fixed</option>}
        {live && !known && <option value={length}>last {length}</option>}
        {LENGTHS.map(([each, words]) => (
          <option key={each} value={each}>
            last {words}
          </option>
        ))}
      </select>
      <div className="segments">
        <button type="button" aria-label="Earlier" title="Earlier" onClick={() => move(-0.5)}>
          ‹
        </button>
        <button type="button" aria-label="Wider" title="Wider: twice as long" onClick={widen}>
          −
        </button>
        <button type="button" aria-label="Later" title="Later" disabled={live} onClick={() => move(0.5)}>
          ›
        </button>
      </div>
      <button
        ref={calendar}
        type="button"
        className="button"
        aria-expanded={choosing}
        onClick={() => setChoosing(!choosing)}
      >
        {live ? 'Calendar' : spanWords(window, zone)}
      </button>
      {live ? (
        <button
          type="button"
          className="button plain live"
          title="Moves with time; stop it here"
          onClick={() => setWindow({ kind: 'fixed', ...boundsOf(window, serverNow()) })}
        >
          <span className="live-dot" aria-hidden="true" /> Live
        </button>
      ) : (
        <button
          type="button"
          className="button plain"
          onClick={() => setWindow({ kind: 'live', length: nearestLength(lengthOf(window)) })}
        >
          Go live
        </button>
      )}
      <div className="segments" role="group" aria-label="Time zone">
        {(['local', 'UTC'] as const).map((each) => (
          <button key={each} type="button" aria-pressed={zone === each} onClick={() => setZone(each)}>
            {each === 'local' ? 'Local' : 'UTC'}
          </button>
        ))}
      </div>
      <KioskButton />
      {choosing && (
        <Calendar
          window={window}
          zone={zone}
          onClose={close}
          onChoose={(chosen) => {
            close();
            setWindow(chosen);
          }}
        />
      )}
    </div>
  );
}

/** The shortest length to choose that shows at least as much. */
const nearestLength = (length: number): string =>
  LENGTHS.find(([each]) => lengthOf({ kind: 'live', length: each }) >= length * 0.9)?.[0] ?? '5y';

function spanWords(window: TimeWindow & { kind: 'fixed' }, zone: Zone): string {
  const { start, end } = window;
  const seconds = end - start < 600_000;
  const from = timeText(start, zone, seconds);
  const to = timeText(end, zone, seconds);
  const day = `${dateText(start, zone)}, `;
  return to.startsWith(day) ? `${from} – ${to.slice(day.length)}` : `${from} – ${to}`;
}

/** Start and end by date and clock, in the zone of the page. */
function Calendar({
  window,
  zone,
  onClose,
  onChoose,
}: {
  window: TimeWindow;
  zone: Zone;
  onClose: () => void;
  onChoose: (window: TimeWindow) => void;
}) {
  const [{ start, end }] = useState(() => {
    const bounds = boundsOf(window, serverNow());
    return { start: inputText(bounds.start, zone), end: inputText(bounds.end, zone) };
  });
  const [mistake, setMistake] = useState('');
  const choose = (form: FormData): void => {
    const from = inputTime(textOf(form, 'start'), zone);
    const to = inputTime(textOf(form, 'end'), zone);
    if (!(from < to)) return setMistake('The start must be before the end.');
    onChoose({ kind: 'fixed', start: from, end: to });
  };
  return (
    <form
      className="calendar panel"
      aria-label="Calendar"
      onKeyDown={({ key }) => key === 'Escape' && onClose()}
      onSubmit={(event) => {
        event.preventDefault();
        choose(new FormData(event.currentTarget));
      }}
    >
      <label className="labelled">
        From ({zone === 'UTC' ? 'UTC' : 'local time'})
        <input className="field" type="datetime-local" name="start" step="1" required defaultValue={start} autoFocus />
      </label>
      <label className="labelled">
        To
        <input className="field" type="datetime-local" name="end" step="1" required defaultValue={end} />
      </label>
      <button type="submit" className="button primary">
        Show
      </button>
      {mistake !== '' && (
        <p className="bad-text" role="alert">
          {mistake}
        </p>
      )}
    </form>
  );
}

/** A time as `datetime-local` has it, to the second. */
function inputText(time: number, zone: Zone): string {
  const shifted = zone === 'UTC' ? time : time - new Date(time).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 19);
}

const inputTime = (text: string, zone: Zone): number => Date.parse(zone === 'UTC' ? `${text}Z` : text);
