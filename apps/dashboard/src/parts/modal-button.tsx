import { useId, useRef, useState, type ReactNode } from 'react';

/** A button that opens a dialog; what is in it is made when it opens. */
export function ModalButton({
  words,
  title,
  className = 'button',
  label,
  children,
}: {
  readonly words: string;
  readonly title: string;
  readonly className?: string;
  /** What the button is about, where its words do not say it. */
  readonly label?: string;
  readonly children: (close: () => void) => ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <>
      <button
        type="button"
        className={className}
        aria-label={label}
        onClick={() => {
          setOpen(true);
          requestAnimationFrame(() => dialog.current?.showModal());
        }}
      >
        {words}
      </button>
      <dialog ref={dialog} aria-labelledby={id} onClose={() => setOpen(false)}>
        {open && (
          <div className="stack">
            <h2 id={id}>{title}</h2>
            {children(() => dialog.current?.close())}
          </div>
        )}
      </dialog>
    </>
  );
}
