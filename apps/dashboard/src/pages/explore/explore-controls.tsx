import { useQuery } from '@tanstack/react-query';
import { metricDefinition } from '@device-metrics/domain';
import { useAddress } from '../../address.js';
import { read } from '../../api.js';
import { useDeviceNames, useMetrics } from '../../data/use-names.js';
import { Chosen, Picker } from '../../parts/picker.js';
import { AGGREGATIONS, COUNTS, RATES, STEPS, usualAggregation, type Question } from './question.js';

/** Enough series to know what labels a metric has. */
const ASKED_FOR_LABELS = 20;

/** Chooses the question; everything that is chosen stands in the address. */
export function ExploreControls({ question }: { question: Question }) {
  const { set } = useAddress();
  const metrics = useMetrics();
  const { names, tags } = useDeviceNames();
  const labels = useLabels(question.metric);
  const help = metricDefinition(question.metric)?.help;
  const add = (name: string, values: readonly string[], value: string): void =>
    set({ [name]: [...new Set([...values, value])] });
  const remove = (name: string, values: readonly string[], value: string): void =>
    set({ [name]: values.filter((each) => each !== value) });
  const setLabels = (values: readonly string[]): void => set({ label: values.length > 0 ? values : [''] });
  const aggregations = [...RATES, ...AGGREGATIONS];
  return (
    <>
      <div className="bar">
        <Picker
          label="Metric"
          placeholder="Metric"
          value={question.metric}
          options={metrics.map(({ metric_name }) => metric_name)}
          onPick={(metric) => set({ metric, label: undefined, agg: undefined })}
        />
        <label className="inline-label">
          <span className="hidden">Aggregation</span>
          <select
            className="field"
            value={question.aggregation}
            onChange={({ target }) =>
              set({ agg: target.value === usualAggregation(question.metric) ? undefined : target.value })
            }
          >
            {!aggregations.includes(question.aggregation) && <option>{question.aggregation}</option>}
            {aggregations.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label className="inline-label">
          <span>by</span>
          <select
            className="field"
            aria-label="Step"
            value={question.step}
            onChange={({ target }) => set({ step: target.value === 'auto' ? undefined : target.value })}
          >
            {!STEPS.includes(question.step) && <option>{question.step}</option>}
            {STEPS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <select
          className="field"
          aria-label="Which series"
          value={`${question.order} ${question.count}`}
          onChange={({ target }) => {
            const [order, count] = target.value.split(' ');
            set({ order: order === 'top' ? undefined : order, n: count === '10' ? undefined : count });
          }}
        >
          {[...new Set([...COUNTS, question.count])]
            .sort((a, b) => a - b)
            .flatMap((count) =>
              (['top', 'bottom'] as const).map((order) => (
                <option key={`${order} ${count}`} value={`${order} ${count}`}>
                  {order === 'top' ? 'largest' : 'smallest'} {count}
                </option>
              )),
            )}
        </select>
        <label className="inline-label">
          <input
            type="checkbox"
            checked={question.before}
            onChange={({ target }) => set({ before: target.checked ? '1' : undefined })}
          />
          <span>against the time before</span>
        </label>
      </div>
      <div className="bar">
        <Picker
          label="Add a device"
          placeholder="All devices; a name, or lab-*"
          options={names}
          onPick={(device) => add('device', question.devices, device)}
        />
        {tags.length > 0 && (
          <Picker
            label="Add a tag"
            placeholder="Tag, as room=lab"
            options={tags}
            onPick={(tag) => add('tag', question.tags, tag)}
          />
        )}
        {labels.length > 0 && (
          <Picker
            label="Add a label"
            placeholder="Label, as cpu.mode=user"
            options={labels}
            onPick={(label) => setLabels([...new Set([...question.labels, label])])}
          />
        )}
        <Chosen
          values={question.devices}
          what="device"
          onRemove={(device) => remove('device', question.devices, device)}
        />
        <Chosen values={question.tags} what="tag" onRemove={(tag) => remove('tag', question.tags, tag)} />
        <Chosen
          values={question.labels}
          what="label"
          onRemove={(label) => setLabels(question.labels.filter((each) => each !== label))}
        />
      </div>
      {help !== undefined && <p className="soft">{help}</p>}
    </>
  );
}

/** The labels of a metric as `name=value`, of the first devices that have it. */
function useLabels(metric: string): string[] {
  const { data } = useQuery({
    queryKey: ['latest', 'labels', metric],
    queryFn: ({ signal }) => read('/api/v1/reports/latest', { metric_name: [metric] }, { signal }),
    staleTime: 300_000,
  });
  const devices = [...new Set((data?.samples ?? []).map(({ device_name }) => device_name))].slice(0, ASKED_FOR_LABELS);
  const pairs = (data?.samples ?? [])
    .filter(({ device_name }) => devices.includes(device_name))
    .flatMap(({ labels }) => Object.entries(labels).map(([name, value]) => `${name}=${value}`));
  return [...new Set(pairs)].sort();
}
