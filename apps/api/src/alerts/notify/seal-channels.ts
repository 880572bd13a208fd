import type { AlertDocument, AlertStore } from '@device-metrics/storage';
import type { SecretBox } from '../../access/sessions/secret-box.js';
import { CHANNEL_TYPES } from './channels.js';
import { HIDDEN, isPlaceholder, type ChannelDocument } from './read-channel.js';

const SEALED = 'sealed:';

/**
 * The store, in which channels have their secrets sealed: the database and its copies show them to nobody. Those of the version before
 * are sealed as soon as they are read.
 */
export function sealChannels(store: AlertStore, box: SecretBox): AlertStore {
  const sealed = Object.create(store) as AlertStore;
  sealed.put = (documents) =>
    store.put(documents.map((one) => (one.kind === 'channel' ? { ...one, body: seal(bodyOf(one), box) } : one)));
  const unsealed = async (documents: readonly AlertDocument[]): Promise<AlertDocument[]> => {
    const open = documents.filter((one) => secretsOf(bodyOf(one)).some((key) => !isSealed(bodyOf(one)[key])));
    if (open.length > 0) await sealed.put(open.map((one) => ({ ...one, kind: 'channel' as const })));
    return documents.map((one) => ({ ...one, body: unseal(bodyOf(one), box) }));
  };
  sealed.documents = async (kind) => {
    const documents = await store.documents(kind);
    return kind === 'channel' ? unsealed(documents) : documents;
  };
  sealed.documentsOf = async (kinds) => {
    const found = new Map(await store.documentsOf(kinds));
    const channels = found.get('channel');
    return channels ? found.set('channel', await unsealed(channels)) : found;
  };
  return sealed;
}

const bodyOf = ({ body }: AlertDocument): ChannelDocument => body as ChannelDocument;

const isSealed = (value: unknown): value is string => typeof value === 'string' && value.startsWith(SEALED);

/** The fields that hold a secret themselves, and do not say where one is. */
function secretsOf(body: ChannelDocument): string[] {
  const fields = CHANNEL_TYPES.find(({ type }) => type === body['type'])?.fields ?? {};
  return Object.keys(fields).filter((key) => fields[key]?.secret && key in body && !isPlaceholder(body[key]));
}

const withSecretsAs = (body: ChannelDocument, change: (value: unknown) => unknown): ChannelDocument => ({
  ...body,
  ...Object.fromEntries(secretsOf(body).map((key) => [key, change(body[key])])),
});

const seal = (body: ChannelDocument, box: SecretBox): ChannelDocument =>
  withSecretsAs(body, (value) => (isSealed(value) ? value : SEALED + box.seal(JSON.stringify(value))));

/** What was sealed with the key of another machine has to be given again. */
const unseal = (body: ChannelDocument, box: SecretBox): ChannelDocument =>
  withSecretsAs(body, (value) => {
    if (!isSealed(value)) return value;
    const text = box.open(value.slice(SEALED.length));
    return text === undefined ? HIDDEN : (JSON.parse(text) as unknown);
  });
