import type { ReactNode } from 'react';
import type { Schema } from '../../api.js';
import { timeText } from '../../time-window.js';
import { duration } from '../../units.js';

/** One incident: what it is, since when, and what was said of it. */
export function Incident({ incident, children }: { incident: Schema<'IncidentDto'>; children?: ReactNode }) {
  const { title, state, began, ended, updates } = incident;
  const length = ended === null ? '' : `, for ${duration((Date.parse(ended) - Date.parse(began)) / 1000)}`;
  return (
    <article className={`panel incident ${ended === null ? 'open' : ''}`}>
      <header>
        <h3>{title}</h3>
        <span className="soft">
          {state}, since {timeText(Date.parse(began), 'local', false)}
          {length}
        </span>
      </header>
      <ol>
        {updates.map((update) => (
          <li key={update.time}>
            <span className="soft">
              {timeText(Date.parse(update.time), 'local', false)} · {update.state}
            </span>
            {update.text !== '' && <p>{update.text}</p>}
          </li>
        ))}
      </ol>
      {children}
    </article>
  );
}
