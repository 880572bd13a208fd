import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';

interface EntryFormProps {
  /** What the button says. */
  readonly words: string;
  /** Does it; what it throws is shown, and what was entered stays. */
  readonly submit: (form: FormData) => Promise<unknown>;
  readonly children: ReactNode;
  readonly onCancel?: () => void;
  readonly className?: string;
}

/** A form that does one thing. */
export function EntryForm({ words, submit, children, onCancel, className = 'stack' }: EntryFormProps) {
  const { mutate, isPending, error } = useMutation({ mutationFn: submit });
  return (
    <form
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        mutate(new FormData(event.currentTarget));
      }}
    >
      {children}
      <Mistake error={error} />
      <div className="actions">
        {onCancel && (
          <button type="button" className="button" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button primary" disabled={isPending}>
          {words}
        </button>
      </div>
    </form>
  );
}

/** What went wrong, where it did. */
export function Mistake({ error }: { error: Error | null }) {
  return (
    error && (
      <p className="bad-text" role="alert">
        {error.message}
      </p>
    )
  );
}
