import { useQuery } from '@tanstack/react-query';
import { read, type Schema } from '../../api.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { clockText, timeText, type Zone } from '../../time-window.js';
import { formatterOf } from '../../units.js';

interface ProcessesAtProps {
  readonly device: string;
  /** ms. */
  readonly time: number;
  readonly zone: Zone;
  readonly interval: number | undefined;
  readonly onClose: () => void;
}

/** How often a collector reads programs, ms; most of the others it reads more often. */
const PROGRAMS_EVERY = 30_000;

/** Which programs took most processor time and memory at a moment, such as that of a spike. */
export function ProcessesAt({ device, time, zone, interval = 10_000, onClose }: ProcessesAtProps) {
  const reach = 1.5 * Math.max(interval, PROGRAMS_EVERY);
  const { data, error, refetch } = useQuery({
    queryKey: ['processes', device, time],
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const report = await read(
        '/api/v1/reports/metrics/{device_name}',
        {
          metric_name: ['process.cpu.utilization', 'process.memory.usage'],
          start_time: new Date(time - reach).toISOString(),
          end_time: new Date(time + reach).toISOString(),
        },
        { signal, names: { device_name: device } },
      );
      return programsAt(report, time);
    },
  });
  const percent = formatterOf('1');
  const bytes = formatterOf('By');
  return (
    <section className="panel processes" aria-label="Processes at a time">
      <header>
        <h2>Programs at {timeText(time, zone)}</h2>
        <button type="button" className="button small" onClick={onClose}>
          Close
        </button>
      </header>
      {error && <ProblemNotice what="They could not be read." error={error} onRetry={() => void refetch()} />}
      {data && data.programs.length === 0 && <p className="soft">No program was read at that time.</p>}
      {data && Math.abs(data.readAt - time) >= 1_000 && data.programs.length > 0 && (
        <p className="soft">Read at {clockText(data.readAt, zone, true)}, the nearest to it.</p>
      )}
      {data && data.programs.length > 0 && (
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Program</th>
              <th scope="col" className="number">
                CPU
              </th>
              <th scope="col" className="number">
                Memory
              </th>
            </tr>
          </thead>
          <tbody>
            {data.programs.map(({ name, cpu, memory }) => (
              <tr key={name}>
                <td>
                  <bdi>{name}</bdi>
                </td>
                <td className="number">{percent(cpu)}</td>
                <td className="number">{bytes(memory)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface Program {
  readonly name: string;
  cpu?: number;
  memory?: number;
}

/** The programs whose reading is nearest to a time, the busiest first; processor time is summed over its modes. */
function programsAt(
  { series }: Schema<'DeviceReportDto'>,
  time: number,
): { readonly readAt: number; readonly programs: Program[] } {
  const rows = series.flatMap(({ metric_name, labels, samples }) =>
    samples.map(([at, value]) => ({ metric_name, labels, at: Date.parse(String(at)), value: Number(value) })),
  );
  const nearest = rows.reduce((best, { at }) => (Math.abs(at - time) < Math.abs(best - time) ? at : best), Infinity);
  const programs = new Map<string, Program>();
  for (const { metric_name, labels, at, value } of rows) {
    const name = labels['process.executable.name'];
    if (at !== nearest || name === undefined) continue;
    const program = programs.get(name) ?? { name };
    programs.set(name, program);
    if (metric_name === 'process.memory.usage') program.memory = value;
    else program.cpu = (program.cpu ?? 0) + value;
  }
  const order = (a: Program, b: Program): number => (b.cpu ?? -1) - (a.cpu ?? -1) || (b.memory ?? 0) - (a.memory ?? 0);
  return { readAt: nearest, programs: [...programs.values()].sort(order) };
}
