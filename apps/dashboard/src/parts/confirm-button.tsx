import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Mistake } from './entry-form.js';

/** A button for what cannot be taken back: it asks once more. */
export function ConfirmButton({
  words,
  sure,
  label,
  act,
}: {
  readonly words: string;
  /** What the second button says. */
  readonly sure: string;
  /** What it is about, for who does not see where it stands. */
  readonly label: string;
  readonly act: () => Promise<unknown>;
}) {
  const [asking, setAsking] = useState(false);
  const { mutate, isPending, error } = useMutation({ mutationFn: act, onSuccess: () => setAsking(false) });
  if (!asking) {
    return (
      <button
        type="button"
        className="button small danger"
        aria-label={`${words} ${label}`}
        onClick={() => setAsking(true)}
      >
        {words}…
      </button>
    );
  }
  return (
    <span className="bar">
      <button
        type="button"
        className="button small danger"
        aria-label={`${sure}: ${label}`}
        disabled={isPending}
        autoFocus
        onClick={() => mutate()}
      >
        {sure}
      </button>
      <button type="button" className="button small" onClick={() => setAsking(false)}>
        No
      </button>
      <Mistake error={error} />
    </span>
  );
}
