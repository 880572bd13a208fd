import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useTimeWindow } from '../../address.js';
import { read } from '../../api.js';
import { timeText } from '../../time-window.js';

/** What was said, what waits, and what could not be delivered. */
export function Messages() {
  const { zone } = useTimeWindow();
  const id = useId();
  const { data } = useQuery({
    queryKey: ['alert-messages'],
    queryFn: ({ signal }) => read('/api/v1/alerts/messages', {}, { signal }),
    refetchInterval: 15_000,
    retry: false,
  });
  if (!data || data.messages.length === 0) return null;
  return (
    <section className="panel setup" aria-labelledby={id}>
      <h2 id={id}>Messages</h2>
      <div className="alerts-room">
        <table aria-labelledby={id}>
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
                <td>{timeText(Date.parse(message.created), zone)}</td>
                <td>{message.channel}</td>
                <td className={message.state === 'sent' ? undefined : 'bad-text'}>{message.state}</td>
                <td>
                  {message.group} ({message.alerts})
                </td>
                <td>{message.error}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
