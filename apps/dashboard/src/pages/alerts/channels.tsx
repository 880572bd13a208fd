import { Fragment } from 'react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { addressOf, change, read } from '../../api.js';
import { textsAt, type Document } from '../../data/alert-document.js';
import { ChoiceField, FlagField, NumberField, PairsField, TextField, TextsField, useEditing } from './fields.js';
import { Messages } from './messages.js';
import { SelectFields } from './quiet.js';
import { selectWords } from './rule-words.js';
import { useMaySetUp } from '../../data/session.js';
import { useSetup, type SetupItem } from '../../data/use-alerts.js';
import { Setup } from './setup.js';

/** Ways to tell somebody, who is told of what, and what was said. */
export function Channels() {
  return (
    <div className="stack">
      <Setup
        look={{
          kind: 'channels',
          title: 'Channels',
          one: 'channel',
          what: 'Ways to tell somebody.',
          none: 'Nobody is told of anything yet: make a channel.',
          fresh: { type: 'email' },
          columns: ['Type', 'To', 'Test'],
          cells: (item) => [
            textsAt(item.document, 'type').join(),
            <bdi key="to">{receiverOf(item.document)}</bdi>,
            <Test key="test" item={item} />,
          ],
          fields: <ChannelFields />,
        }}
      />
      <Setup
        look={{
          kind: 'routes',
          title: 'Routes',
          one: 'route',
          what: 'Who hears of what.',
          none: 'While there is no route, every alert goes to every channel.',
          fresh: { select: { severity: 'critical' }, channels: [] },
          columns: ['Of', 'Channels', 'Again every', 'Unanswered'],
          cells: ({ document, failure }) => [
            <bdi key="of">{selectWords((document['select'] ?? {}) as Document) || 'everything'}</bdi>,
            <Fragment key="channels">
              {textsAt(document, 'channels').join(', ')}
              {failure !== undefined && <div className="bad-text">{failure}</div>}
            </Fragment>,
            textsAt(document, 'repeat').join() || '4h',
            document['escalate'] === undefined
              ? '–'
              : `after ${textsAt(document, 'escalate.after').join()}: ${textsAt(document, 'escalate.channels').join(', ')}`,
          ],
          fields: <RouteFields />,
        }}
      />
      <Messages />
    </div>
  );
}

const receiverOf = (document: Document): string =>
  ['to', 'host', 'url', 'chat', 'user']
    .flatMap((key) => textsAt(document, key))
    .slice(0, 3)
    .join(', ');

interface Field {
  readonly type: 'text' | 'url' | 'integer' | 'flag' | 'address' | 'addresses' | 'headers';
  readonly meaning: string;
  readonly choices?: readonly string[];
  readonly default?: unknown;
  readonly required?: boolean;
  readonly secret?: boolean;
}

/** The fields that its type takes, as the api lists them. */
function ChannelFields() {
  const { document, change: set, readOnly } = useEditing();
  const { data } = useQuery({
    queryKey: ['channel-types'],
    queryFn: ({ signal }) => read('/api/v1/alerts/channel-types', {}, { signal }),
    staleTime: Infinity,
  });
  const type = data?.types.find((each) => each.type === document['type']);
  return (
    <fieldset className="fields">
      <legend>How</legend>
      <label className="labelled">
        <span>Type</span>
        <select
          className="field"
          value={textsAt(document, 'type').join()}
          disabled={readOnly}
          onChange={({ target }) => set({ type: target.value })}
        >
          {data?.types.map((each) => (
            <option key={each.type}>{each.type}</option>
          ))}
        </select>
        {type && (
          <small>
            <a href={type.documentation} target="_blank" rel="noreferrer">
              Documentation of {type.type}
            </a>
          </small>
        )}
      </label>
      {Object.entries((type?.fields ?? {}) as Readonly<Record<string, Field>>).map(([path, field]) => (
        <ChannelField key={path} path={path} field={field} />
      ))}
    </fieldset>
  );
}

function ChannelField({ path, field }: { path: string; field: Field }) {
  const { type, meaning, secret, required } = field;
  const usual =
    typeof field.default === 'string' || typeof field.default === 'number' ? String(field.default) : undefined;
  const props = {
    path,
    label: `${path.replaceAll('_', ' ')}${required ? '' : ' (if wanted)'}`,
    note: secret ? `${meaning}; may be \${ALERTS_…} or file:NAME, and is not shown again` : meaning,
    ...(usual !== undefined && { placeholder: usual }),
  };
  switch (type) {
    case 'flag':
      return <FlagField {...props} label={`${path.replaceAll('_', ' ')}: ${meaning}`} usual={field.default === true} />;
    case 'integer':
      return <NumberField {...props} />;
    case 'addresses':
      return <TextsField {...props} />;
    case 'headers':
      return <PairsField {...props} />;
    default:
      if (field.choices) return <ChoiceField {...props} choices={field.choices.map((one) => [one, one])} />;
      return <TextField {...props} secret={secret ?? false} />;
  }
}

/** Sends a message to a channel at once; says what the receiver said. */
function Test({ item }: { item: SetupItem }) {
  const may = useMaySetUp();
  const test = useMutation({
    mutationFn: () => change('POST', addressOf('/api/v1/alerts/channels/{name}/test', {}, { name: item.name })),
  });
  return (
    <>
      <button type="button" className="button small" disabled={!may || test.isPending} onClick={() => test.mutate()}>
        {test.isPending ? 'Sending…' : 'Send a test'}
      </button>{' '}
      <span role="status">
        {test.isSuccess && 'Taken.'}
        {test.error && <span className="bad-text">{test.error.message}</span>}
        {test.isIdle && item.failure !== undefined && <span className="bad-text">{item.failure}</span>}
      </span>
    </>
  );
}

/** How often, and who hears of it when nobody answers. */
export function RouteFields() {
  const { data } = useSetup('channels');
  const channels = data?.items.flatMap(({ name, unusable }) => (unusable ? [] : [name]));
  return (
    <>
      <SelectFields />
      <fieldset className="fields">
        <legend>Who is told</legend>
        <TextsField path="channels" label="Channels" options={channels} />
        <TextsField
          path="group_by"
          label="Into one message"
          placeholder="rule, severity"
          note="rule, device, severity, tag:NAME"
        />
        <TextField path="wait" label="Wait to gather" placeholder="30s" />
        <TextField path="repeat" label="Say it again every" placeholder="4h" note="0: never" />
        <TextField path="escalate.after" label="Unanswered for" placeholder="30m" />
        <TextsField path="escalate.channels" label="these hear of it too" options={channels} />
        <NumberField path="order" label="Order" placeholder="100" note="the first that matches is taken" />
        <FlagField path="continue" label="The next routes are asked too" usual={false} />
      </fieldset>
    </>
  );
}
