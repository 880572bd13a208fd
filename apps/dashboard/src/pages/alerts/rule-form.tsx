import { metricDefinition } from '@device-metrics/domain';
import { useDeviceNames, useMetrics } from '../../data/use-names.js';
import { formatterOf } from '../../units.js';
import { textsAt, valueAt, withValue, type Document } from '../../data/alert-document.js';
import { ChoiceField, FlagField, NumberField, TextField, TextsField, useEditing } from './fields.js';
import { conditionKind, CONDITIONS, formatOf, OF_NO_METRIC, type ConditionKind } from './rule-words.js';

const MEASURES = [
  ['last', 'newest value'],
  ['mean', 'mean'],
  ['min', 'smallest'],
  ['max', 'largest'],
  ['p95', '95th percentile'],
  ['rate', 'rate per second'],
  ['increase', 'increase'],
  ['share', 'share of the whole'],
] as const;

/** What a condition begins as when it is chosen. */
const BEGINNINGS: Readonly<Record<ConditionKind, Document>> = {
  above: { above: 80 },
  below: { below: 10 },
  outside: { outside: [210, 250] },
  equals: { equals: 1 },
  change: { type: 'change', measure: 'mean', window: '1h', above: 0.5 },
  full: { type: 'full', window: '3d', within: '3d' },
  switched: { type: 'switched', label: 'system.filesystem.mode', from: 'rw', to: 'ro' },
  device: { type: 'device', status: 'offline' },
  clock: { type: 'clock', above: '1m' },
  server: { type: 'server', measure: 'disk', above: 0.85 },
};

/** The fields of a rule: whom, when, how long, how bad. */
export function RuleFields() {
  const { document, change, readOnly } = useEditing();
  const kind = conditionKind(document);
  const ofMetric = !OF_NO_METRIC.has(kind);
  const metrics = useMetrics();
  const { names, tags } = useDeviceNames();
  const choose = (chosen: ConditionKind): void => {
    const condition = withValue(document, 'condition', BEGINNINGS[chosen]);
    const isOfMetric = !OF_NO_METRIC.has(chosen);
    const metric = isOfMetric ? (valueAt(document, 'select.metric') ?? 'hw.temperature') : undefined;
    const label = isOfMetric ? valueAt(document, 'select.label') : undefined;
    const selected = withValue(withValue(condition, 'select.metric', metric), 'select.label', label);
    change(withValue(selected, 'clear.level', undefined));
  };
  const help = metricDefinition(textsAt(document, 'select.metric')[0] ?? '')?.help;
  return (
    <>
      <fieldset className="fields">
        <legend>Whom</legend>
        {ofMetric && (
          <TextsField
            path="select.metric"
            label="Metric"
            options={metrics.map(({ metric_name }) => metric_name)}
            note={help}
          />
        )}
        <TextsField path="select.device" label="Devices" placeholder="all; a name, or lab-*" options={names} />
        <TextsField path="select.tag" label="Tags" placeholder="as room=lab" options={tags} />
        {ofMetric && <TextsField path="select.label" label="Labels" placeholder="as cpu.mode=user" />}
      </fieldset>
      <fieldset className="fields">
        <legend>When</legend>
        <label className="labelled">
          <span>Condition</span>
          <select
            className="field"
            value={kind}
            disabled={readOnly}
            onChange={({ target }) => choose(target.value as ConditionKind)}
          >
            {Object.entries(CONDITIONS).map(([key, words]) => (
              <option key={key} value={key}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <ConditionFields kind={kind} />
      </fieldset>
      <fieldset className="fields">
        <legend>How long, how bad</legend>
        <TextField path="for" label="Wrong for, before it alerts" placeholder="at once, or 10m" />
        <TextField path="clear.for" label="Right for, before it ends" placeholder="at once, or 10m" />
        {(kind === 'above' || kind === 'below') && <LevelField path="clear.level" label="Right again at" />}
        <ChoiceField
          path="severity"
          label="Severity"
          choices={[
            ['warning', 'warning'],
            ['critical', 'critical'],
            ['info', 'info'],
          ]}
        />
        <ChoiceField
          path="no_data"
          label="Without data"
          choices={[
            ['keep', 'the state stays'],
            ['clear', 'it is right'],
            ['alert', 'it is wrong'],
          ]}
        />
      </fieldset>
      <TextField path="text" label="What to do; it goes along in the message" lines={2} />
      <FlagField path="enabled" label="This rule is on" usual />
    </>
  );
}

function ConditionFields({ kind }: { kind: ConditionKind }) {
  const { document, change } = useEditing();
  const measure = (
    <>
      <ChoiceField path="condition.measure" label="Of the" choices={MEASURES} />
      <TextField path="condition.window" label="Within" placeholder="5m" />
    </>
  );
  switch (kind) {
    case 'above':
    case 'below':
    case 'equals':
      return (
        <>
          <LevelField path={`condition.${kind}`} label="Level" />
          {measure}
          {kind === 'above' && (
            <TextField
              path="condition.above_metric"
              label="A level of its own"
              placeholder="a metric, as hw.temperature.limit"
            />
          )}
        </>
      );
    case 'outside': {
      const band = valueAt(document, 'condition.outside');
      const text = Array.isArray(band) ? band.join(' to ') : '';
      return (
        <>
          <label className="labelled">
            <span>Band</span>
            <input
              className="field"
              defaultValue={text}
              placeholder="210 to 250"
              onChange={({ target }) => {
                const numbers = target.value
                  .split(/\s*(?:to|,|–)\s*/)
                  .filter(Boolean)
                  .map(Number);
                change(withValue(document, 'condition.outside', numbers));
              }}
            />
          </label>
          {measure}
        </>
      );
    }
    case 'change':
      return (
        <>
          <NumberField
            path="condition.above"
            label="More than before by"
            placeholder="0.5"
            note="a share: 0.5 is half as much again"
          />
          <NumberField path="condition.below" label="or less by" placeholder="−0.5" />
          <ChoiceField path="condition.measure" label="Of the" choices={MEASURES.slice(1)} />
          <TextField path="condition.window" label="Over" placeholder="1h" />
        </>
      );
    case 'full':
      return (
        <>
          <TextField path="condition.within" label="Full within" placeholder="3d" />
          <TextField path="condition.window" label="By a line through the last" placeholder="3d" />
          <NumberField path="condition.limit" label="Full is" placeholder="1" />
        </>
      );
    case 'switched':
      return (
        <>
          <TextField path="condition.label" label="Label" />
          <TextField path="condition.from" label="From" />
          <TextField path="condition.to" label="To" />
        </>
      );
    case 'device':
      return (
        <ChoiceField
          path="condition.status"
          label="It is"
          choices={[
            ['offline', 'offline: ten times its usual pause'],
            ['late', 'late: three times its usual pause'],
          ]}
        />
      );
    case 'clock':
      return <TextField path="condition.above" label="By more than" placeholder="1m" />;
    case 'server':
      return (
        <>
          <ChoiceField
            path="condition.measure"
            label="What"
            choices={[
              ['disk', 'used share of the disk of the database'],
              ['refused', 'refused items'],
              ['damaged', 'damaged pieces of the database'],
            ]}
          />
          <NumberField path="condition.above" label="More than" />
          <TextField path="condition.window" label="Within" placeholder="5m" />
        </>
      );
  }
}

/** A level, with what it is in the words of the metric. */
function LevelField({ path, label }: { path: string; label: string }) {
  const { document } = useEditing();
  const value = valueAt(document, path);
  const measure = valueAt(document, 'condition.measure');
  const format = measure === 'share' ? formatterOf('1') : formatOf(document);
  const words = typeof value === 'number' ? format(value) : '';
  return <NumberField path={path} label={label} note={words && words !== String(value) ? `= ${words}` : undefined} />;
}
