import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';

/** From the button, px. */
const DISTANCE = 4;

/**
 * A button that opens a list of links and buttons. The browser's own popover closes it at Escape, at a click elsewhere and
 * gives the focus back; a choice closes it too.
 */
export function PopoverMenu({ label, children }: { label: string; children: ReactNode }) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    // What is in the list is made when it opens, so that it is of now, and is there before its place is measured. It goes only
    // when the list has closed: the browser gives the focus back from what is still in it.
    const fill = (event: Event): void => {
      if ((event as ToggleEvent).newState === 'open') flushSync(() => setOpen(true));
    };
    const place = (event: Event): void => {
      const at = button.current?.getBoundingClientRect();
      if ((event as ToggleEvent).newState !== 'open') return setOpen(false);
      if (!at) return;
      const { offsetWidth, offsetHeight } = element;
      const below = at.bottom + DISTANCE + offsetHeight < window.innerHeight;
      element.style.left = `${Math.max(DISTANCE, at.right - offsetWidth)}px`;
      element.style.top = `${below ? at.bottom + DISTANCE : Math.max(DISTANCE, at.top - DISTANCE - offsetHeight)}px`;
      element.querySelector<HTMLElement>('a, button')?.focus();
    };
    element.addEventListener('beforetoggle', fill);
    element.addEventListener('toggle', place);
    return () => {
      element.removeEventListener('beforetoggle', fill);
      element.removeEventListener('toggle', place);
    };
  }, []);
  const move = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = [...(list.current?.querySelectorAll<HTMLElement>('a, button:not(:disabled)') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items.at((at + step) % items.length)?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="button plain small more"
        aria-label={label}
        aria-expanded={open}
        popoverTarget={id}
      >
        ⋯
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        className="menu"
        onKeyDown={move}
        onClick={() => list.current?.hidePopover()}
      >
        {open && children}
      </div>
    </>
  );
}
