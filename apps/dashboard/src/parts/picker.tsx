import { useId, useState } from 'react';

interface PickerProps {
  readonly label: string;
  readonly placeholder: string;
  readonly options: readonly string[];
  readonly onPick: (value: string) => void;
  /** What is in it; emptied after each pick where it is left out. */
  readonly value?: string;
}

/** Longer lists are of no help before something is typed. */
const MAX_OPTIONS = 2_000;

/** A field that offers what there is, and takes what is typed. */
export function Picker({ label, placeholder, options, onPick, value = '' }: PickerProps) {
  const id = useId();
  const [draft, setDraft] = useState<string>();
  const pick = (text: string): void => {
    setDraft(undefined);
    if (text.trim() !== '' && text !== value) onPick(text.trim());
  };
  return (
    <>
      <input
        className="field picker"
        list={id}
        aria-label={label}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        value={draft ?? value}
        onFocus={(event) => event.target.select()}
        onChange={(event) => {
          const text = event.target.value;
          // What is chosen from the list comes whole.
          if (options.includes(text)) pick(text);
          else setDraft(text);
        }}
        onKeyDown={(event) => event.key === 'Enter' && pick(event.currentTarget.value)}
        onBlur={(event) => pick(event.target.value)}
      />
      <datalist id={id}>
        {options.slice(0, MAX_OPTIONS).map((option) => (
          <option key={option} value={option} />
        ))}
      </datalist>
    </>
  );
}

/** What has been chosen, each to be removed. */
export function Chosen({
  values,
  what,
  onRemove,
}: {
  values: readonly string[];
  what: string;
  onRemove: (value: string) => void;
}) {
  return values.map((value) => (
    <button
      key={value}
      type="button"
      className="button small chosen"
      aria-label={`Remove the ${what} ${value}`}
      onClick={() => onRemove(value)}
    >
      <bdi>{value}</bdi> <span aria-hidden="true">×</span>
    </button>
  ));
}
