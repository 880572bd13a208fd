import { quote, type Labels } from '@device-metrics/domain';

/** One field of a line that is a number. */
export interface Field {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Labels;
  readonly value: number;
}

/**
 * The numbers of a text in Influx line protocol: `cpu,host=a usage=0.5,ok=true 1700000000000000000`. Truth values are 1 and 0;
 * texts are left out; timestamps are checked and left out.
 *
 * @throws Error at the first line that is wrong, with its number.
 */
export function parseLineProtocol(text: string): Field[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    try {
      return parseLine(trimmed);
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}`, { cause: error });
    }
  });
}

function parseLine(line: string): Field[] {
  const [series = '', fields, timestamp, ...others] = split(line, ' ');
  if (fields === undefined)
    throw new Error(`must be a measurement and fields, as in cpu,host=a usage=0.5, got ${quote(line)}`);
  if (others.length > 0) throw new Error(`nothing may follow the timestamp, got ${quote(others.join(' '))}`);
  if (timestamp !== undefined && !/^-?\d+$/.test(timestamp)) {
    throw new Error(`the timestamp must be a whole number, got ${quote(timestamp)}`);
  }
  const [measurement = '', ...tags] = split(series, ',');
  if (measurement === '') throw new Error(`must begin with a measurement, got ${quote(line)}`);
  const labels = Object.fromEntries(tags.map((tag) => pair(tag, 'tag')));
  return split(fields, ',').flatMap((text) => {
    const [field, raw] = pair(text, 'field');
    const value = numberOf(raw);
    return value === undefined ? [] : [{ measurement: plain(measurement), field, tags: labels, value }];
  });
}

/** At a separator that is neither escaped nor in quotes. */
function split(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === '\\') index += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === separator && !quoted) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  if (quoted) throw new Error('a quote is not closed');
  return [...parts, text.slice(start)];
}

function pair(text: string, what: string): [name: string, value: string] {
  const [name = '', ...value] = split(text, '=');
  if (name === '' || value.length === 0 || value[0] === '') {
    throw new Error(`a ${what} must be a name and a value, as in a=1, got ${quote(text)}`);
  }
  const joined = value.join('=');
  return [plain(name), what === 'tag' ? plain(joined) : joined];
}

const plain = (text: string): string => text.replace(/\\([,= \\])/g, '$1');

/** Undefined for a text. */
function numberOf(text: string): number | undefined {
  if (text.startsWith('"')) return undefined;
  if (/^(t|true)$/i.test(text)) return 1;
  if (/^(f|false)$/i.test(text)) return 0;
  const number = /^[+-]?(\d+[iu]|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)$/i.test(text) ? Number(text.replace(/[iu]$/, '')) : NaN;
  if (!Number.isFinite(number)) throw new Error(`the value of a field must be a number, got ${quote(text)}`);
  return number;
}
