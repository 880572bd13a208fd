import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useMemo, useRef, useState, type ReactNode } from 'react';
import { addressOf, ApiError, change } from '../../api.js';
import { useMaySetUp } from '../../data/session.js';
import { useSetup, type SetupItem, type SetupKind } from '../../data/use-alerts.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { parsed, without, type Document } from '../../data/alert-document.js';
import { EditingContext } from './fields.js';

const PATH = '/api/v1/alerts/{kind}/{name}';
const shown = (document: unknown): string => JSON.stringify(document, null, 2);

/**
 * Writes a document under its name, where it is still as it was when it was opened.
 *
 * @param before left out: there must be none of the name.
 * @throws ApiError also where somebody else was faster.
 */
export const save = (
  kind: SetupKind,
  name: string,
  document: Document,
  before: SetupItem | undefined,
): Promise<SetupItem> =>
  change<SetupItem>('PUT', addressOf(PATH, {}, { kind, name }), { ...document, name }, before ?? null);

/** How things of one kind are shown and changed. */
export interface SetupLook {
  readonly kind: SetupKind;
  readonly title: string;
  /** What they are for, in a sentence. */
  readonly what: string;
  /** What a new one is called in the button, such as `rule`. */
  readonly one: string;
  /** Said where there is none. */
  readonly none: string;
  /** What a new one begins as. */
  readonly fresh: Document;
  /** Heads of the columns after the name. */
  readonly columns: readonly string[];
  /** The cells of these columns. */
  readonly cells: (item: SetupItem) => readonly ReactNode[];
  /** The fields of the form. */
  readonly fields: ReactNode;
  /** What stands below the fields, of the document as it is now. */
  readonly more?: (document: Document) => ReactNode;
}

/** What is set up of one kind as a table, with a form for each and for a new one. */
export function Setup({ look }: { look: SetupLook }) {
  const { kind, title, what, one, none, columns, cells } = look;
  const { data, error, refetch } = useSetup(kind);
  const [open, setOpen] = useState<SetupItem | 'new'>();
  const may = useMaySetUp();
  const id = useId();
  if (error && !data) {
    return <ProblemNotice what={`${title} were not read.`} error={error} onRetry={() => void refetch()} />;
  }
  return (
    <section className="setup" aria-labelledby={id}>
      <div className="bar setup-head">
        <h2 id={id}>{title}</h2>
        <p className="soft grow">{what}</p>
        {may && (
          <button type="button" className="button no-kiosk" onClick={() => setOpen('new')}>
            New {one}
          </button>
        )}
      </div>
      {data && data.items.length === 0 && <p className="panel alerts-empty soft">{none}</p>}
      {data && data.items.length > 0 && (
        <div className="panel wide-room">
          <table className="plain stacked" aria-label={title}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.items.map((item) => (
                <tr key={item.name} data-off={item.document['enabled'] === false || undefined}>
                  <td>
                    <button type="button" className="as-link" onClick={() => setOpen(item)}>
                      <bdi>{item.name}</bdi>
                    </button>{' '}
                    {item.origin === 'file' && <span className="tag">ALERTS_FILE</span>}
                  </td>
                  {item.unusable ? (
                    <td colSpan={columns.length} className="bad-text">
                      It cannot be used: {item.failure}
                    </td>
                  ) : (
                    cells(item).map((cell, index) => (
                      <td key={columns[index]} data-head={columns[index]}>
                        {cell}
                      </td>
                    ))
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {open && <SetupDialog look={look} item={open === 'new' ? undefined : open} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

interface DialogProps {
  readonly look: SetupLook;
  /** Left out: a new one. */
  readonly item?: SetupItem | undefined;
  /** What a new one begins as, where that is known better. */
  readonly fresh?: Document;
  readonly onClose: () => void;
}

/** The form of one thing, over the page. */
export function SetupDialog({ look, item, fresh, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  return (
    <dialog
      ref={(element) => {
        dialog.current = element;
        if (element && !element.open) element.showModal();
      }}
      className="wide"
      aria-labelledby={id}
      onClose={onClose}
    >
      <h2 id={id}>{item ? <bdi>{item.name}</bdi> : `New ${look.one}`}</h2>
      <SetupForm look={look} item={item} fresh={fresh ?? look.fresh} onClose={() => dialog.current?.close()} />
    </dialog>
  );
}

function SetupForm({ look, item, fresh, onClose }: DialogProps & { fresh: Document }) {
  const { kind, fields, more } = look;
  const client = useQueryClient();
  const [name, setName] = useState(item?.name ?? '');
  const [document, setDocument] = useState(() => without(item?.document ?? fresh, ['name', 'by']));
  const [text, setText] = useState<string>();
  const may = useMaySetUp();
  const readOnly = !may || item?.origin === 'file';
  // Also after a refusal: what somebody else has changed meanwhile is there when it is opened again.
  const onSettled = () => client.invalidateQueries({ queryKey: ['alert-setup', kind] });
  const saving = useMutation({
    mutationFn: async () => {
      await save(kind, name.trim(), text === undefined ? document : parsed(text), item);
    },
    onSettled,
    onSuccess: onClose,
  });
  const removing = useMutation({
    mutationFn: () => change('DELETE', addressOf(PATH, {}, { kind, name }), undefined, item),
    onSettled,
    onSuccess: onClose,
  });
  const failure = saving.error ?? removing.error;
  const mistakes = failure instanceof ApiError ? failure.fields : NO_MISTAKES;
  const editing = useMemo(
    () => ({ document, change: setDocument, readOnly, mistakes }),
    [document, readOnly, mistakes],
  );
  const [switchMistake, setSwitchMistake] = useState('');
  const showText = (asText: boolean): void => {
    setSwitchMistake('');
    if (asText) return setText(shown(document));
    try {
      setDocument(parsed(text ?? '{}'));
      setText(undefined);
    } catch (error) {
      setSwitchMistake((error as Error).message);
    }
  };
  return (
    <form className="stack" action={() => saving.mutate()}>
      <div className="bar">
        {item === undefined && (
          <label className="labelled grow">
            Name
            <input
              name="name"
              className="field"
              required
              maxLength={128}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          </label>
        )}
        <div className="segments push" role="group" aria-label="How it is written">
          <button type="button" aria-pressed={text === undefined} onClick={() => text !== undefined && showText(false)}>
            Form
          </button>
          <button type="button" aria-pressed={text !== undefined} onClick={() => text === undefined && showText(true)}>
            Text
          </button>
        </div>
      </div>
      <EditingContext value={editing}>
        {text === undefined ? (
          fields
        ) : (
          <label className="labelled">
            As docs/alerts.md describes it
            <textarea
              className="field document"
              rows={Math.min(20, text.split('\n').length + 1)}
              spellCheck={false}
              readOnly={readOnly}
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
          </label>
        )}
        {more?.(document)}
      </EditingContext>
      {(failure || switchMistake !== '') && (
        <div role="alert" className="bad-text">
          {switchMistake || failure?.message}
          {mistakes.length > 1 && (
            <ul>
              {mistakes.map(({ field, reason }) => (
                <li key={field + reason}>
                  {field}: {reason}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      <div className="actions">
        {may && item?.origin === 'database' && (
          <button
            type="button"
            className="button danger push-right"
            disabled={removing.isPending}
            onClick={() => removing.mutate()}
          >
            Delete
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          {readOnly ? 'Close' : 'Cancel'}
        </button>
        {!readOnly && (
          <button className="button primary" disabled={saving.isPending}>
            Save
          </button>
        )}
      </div>
    </form>
  );
}

const NO_MISTAKES: readonly never[] = [];
