import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useTimeWindow } from '../../address.js';
import { read } from '../../api.js';
import { useMaySetUp } from '../../data/session.js';
import { timeText } from '../../time-window.js';

/** What was said, what waits, and what could not be delivered. */
export function Messages() {
  const { zone } = useTimeWindow();
  const id = useId();
  const may = useMaySetUp();
  const { data } = useQuery({
    queryKey: ['alert-messages'],
    queryFn: ({ signal }) => read('/api/v1/alerts/messages', {}, { signal }),
    refetchInterval: 15_000,
    enabled: may,
  });
  if (!data || data.messages.length === 0) return null;
  return (
    <section className="setup" aria-labelledby={id}>
      <div className="bar setup-head">
        <h2 id={id}>Messages</h2>
        <p className="soft">The newest 200.</p>
      </div>
      <div className="panel wide-room">
        <table className="plain stacked" aria-labelledby={id}>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Channel</th>
              <th scope="col">State</th>
              <th scope="col">About</th>
              <th scope="col">Why not</th>
            </tr>
          </thead>
          <tbody>
            {data.messages.map((message) => (
              <tr key={message.id}>
                <td data-head="Time">{timeText(Date.parse(message.created), zone)}</td>
                <td data-head="Channel">{message.channel}</td>
                <td data-head="State" className={message.state === 'sent' ? undefined : 'bad-text'}>
                  {message.state}
                </td>
                <td data-head="About">
                  {message.group} ({message.alerts})
                </td>
                <td data-head="Why not">{message.error}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
