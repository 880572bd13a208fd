import { createContext, useContext, useId, useState, type ReactNode } from 'react';
import { textsAt, valueAt, withValue, type Document } from '../../data/alert-document.js';

/** The document that a form changes, and what the api said is wrong with it. */
export interface Editing {
  readonly document: Document;
  readonly readOnly: boolean;
  readonly change: (document: Document) => void;
  readonly mistakes: readonly { readonly field: string; readonly reason: string }[];
}

export const EditingContext = createContext<Editing | undefined>(undefined);

export function useEditing(): Editing {
  const editing = useContext(EditingContext);
  if (!editing) throw new Error('A field stands in no form.');
  return editing;
}

interface FieldProps {
  /** Where its value stands in the document, such as `condition.above`. */
  readonly path: string;
  readonly label: ReactNode;
  readonly placeholder?: string;
  /** What it means, below it. */
  readonly note?: ReactNode;
  readonly options?: readonly string[] | undefined;
}

/** What ties a field to its words. */
interface Ties {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean | undefined;
}

/** The frame of a field: its words, and below it what is wrong with it, or what it means. */
function Labelled({ path, label, note, children }: FieldProps & { children: (ties: Ties) => ReactNode }) {
  const { mistakes } = useEditing();
  const id = useId();
  const mistake = mistakes.find(({ field }) => field === path || field.startsWith(`${path}[`));
  return (
    <div className="labelled">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-note`, 'aria-invalid': mistake && true })}
      <small id={`${id}-note`} className={mistake ? 'bad-text' : 'soft'}>
        {mistake?.reason ?? note}
      </small>
    </div>
  );
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** A text; a duration such as `10m` is one too. */
export function TextField(props: FieldProps & { lines?: number; secret?: boolean }) {
  const { path, placeholder, options, lines, secret } = props;
  const { document, change, readOnly } = useEditing();
  const id = useId();
  const value = textOf(valueAt(document, path));
  const set = (text: string): void => change(withValue(document, path, text === '' ? undefined : text));
  return (
    <Labelled {...props}>
      {(ties) => (
        <>
          {lines ? (
            <textarea
              {...ties}
              className="field"
              rows={lines}
              value={value}
              placeholder={placeholder}
              readOnly={readOnly}
              onChange={({ target }) => set(target.value)}
            />
          ) : (
            <input
              {...ties}
              className="field"
              value={value}
              placeholder={placeholder}
              readOnly={readOnly}
              spellCheck={false}
              autoComplete="off"
              type={secret && !/^(\$\{|file:)/.test(value) && value !== '' ? 'password' : 'text'}
              list={options && id}
              onChange={({ target }) => set(target.value)}
            />
          )}
          {options && !lines && <Options id={id} options={options} />}
        </>
      )}
    </Labelled>
  );
}

function Options({ id, options }: { id: string; options: readonly string[] }) {
  return (
    <datalist id={id}>
      {options.slice(0, 2_000).map((option) => (
        <option key={option} value={option} />
      ))}
    </datalist>
  );
}

/** One text or several, with commas between them. */
export function TextsField(props: FieldProps) {
  const { path, placeholder, options } = props;
  const { document, change, readOnly } = useEditing();
  const [draft, setDraft] = useState<string>();
  const id = useId();
  return (
    <Labelled {...props}>
      {(ties) => (
        <>
          <input
            {...ties}
            className="field"
            value={draft ?? textsAt(document, path).join(', ')}
            placeholder={placeholder}
            readOnly={readOnly}
            spellCheck={false}
            autoComplete="off"
            list={options && id}
            onChange={({ target }) => {
              setDraft(target.value);
              const texts = target.value
                .split(',')
                .map((text) => text.trim())
                .filter(Boolean);
              change(withValue(document, path, texts.length === 0 ? undefined : texts.length === 1 ? texts[0] : texts));
            }}
            onBlur={() => setDraft(undefined)}
          />
          {options && <Options id={id} options={options} />}
        </>
      )}
    </Labelled>
  );
}

/** A number; what is none yet goes to the api as it is, which says what is wrong. */
export function NumberField(props: FieldProps) {
  const { path, placeholder } = props;
  const { document, change, readOnly } = useEditing();
  const [draft, setDraft] = useState<string>();
  return (
    <Labelled {...props}>
      {(ties) => (
        <input
          {...ties}
          className="field"
          inputMode="decimal"
          value={draft ?? textOf(valueAt(document, path))}
          placeholder={placeholder}
          readOnly={readOnly}
          onChange={({ target }) => {
            setDraft(target.value);
            const text = target.value.trim().replace(',', '.');
            const number = Number(text);
            change(withValue(document, path, text === '' ? undefined : Number.isNaN(number) ? text : number));
          }}
          onBlur={() => setDraft(undefined)}
        />
      )}
    </Labelled>
  );
}

/** One of a few values; the first is what holds where nothing is said. */
export function ChoiceField({ choices, ...props }: FieldProps & { choices: readonly (readonly [string, string])[] }) {
  const { document, change, readOnly } = useEditing();
  const [usual] = choices[0] ?? [''];
  const value = textOf(valueAt(document, props.path)) || usual;
  return (
    <Labelled {...props}>
      {(ties) => (
        <select
          {...ties}
          className="field"
          value={value}
          disabled={readOnly}
          onChange={({ target }) => change(withValue(document, props.path, target.value))}
        >
          {!choices.some(([key]) => key === value) && <option>{value}</option>}
          {choices.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** Whether something is so; `usual` is what holds where nothing is said. */
export function FlagField({ path, label, usual }: FieldProps & { usual: boolean }) {
  const { document, change, readOnly } = useEditing();
  const value = valueAt(document, path);
  return (
    <label className="inline-label">
      <input
        type="checkbox"
        checked={typeof value === 'boolean' ? value : usual}
        disabled={readOnly}
        onChange={({ target }) =>
          change(withValue(document, path, target.checked === usual ? undefined : target.checked))
        }
      />
      <span>{label}</span>
    </label>
  );
}

/** A moment, by the clock of this browser. */
export function TimeField(props: FieldProps) {
  const { path } = props;
  const { document, change, readOnly } = useEditing();
  const at = Date.parse(String(valueAt(document, path)));
  const local = Number.isNaN(at)
    ? ''
    : new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  return (
    <Labelled {...props}>
      {(ties) => (
        <input
          {...ties}
          className="field"
          type="datetime-local"
          value={local}
          readOnly={readOnly}
          onChange={({ target }) => {
            const time = new Date(target.value);
            change(withValue(document, path, Number.isNaN(time.getTime()) ? undefined : time.toISOString()));
          }}
        />
      )}
    </Labelled>
  );
}

/** Names and values, `name=value` on a line each. */
export function PairsField(props: FieldProps) {
  const { document, change, readOnly } = useEditing();
  const [draft, setDraft] = useState<string>();
  const pairs = Object.entries((valueAt(document, props.path) ?? {}) as Readonly<Record<string, unknown>>);
  return (
    <Labelled {...props}>
      {(ties) => (
        <textarea
          {...ties}
          className="field"
          rows={2}
          value={draft ?? pairs.map(([name, value]) => `${name}=${String(value)}`).join('\n')}
          placeholder="name=value, one a line"
          readOnly={readOnly}
          onChange={({ target }) => {
            setDraft(target.value);
            const entries = target.value
              .split('\n')
              .filter((line) => line.indexOf('=') > 0)
              .map((line): [string, string] => {
                const equals = line.indexOf('=');
                return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
              });
            change(withValue(document, props.path, entries.length === 0 ? undefined : Object.fromEntries(entries)));
          }}
          onBlur={() => setDraft(undefined)}
        />
      )}
    </Labelled>
  );
}
