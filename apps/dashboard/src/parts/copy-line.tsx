import { useState } from 'react';

/** A line to copy, as a command or an address. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = async (): Promise<void> => {
    setState((await copyText(text)) ? 'copied' : 'failed');
    setTimeout(() => setState('idle'), 2_000);
  };
  return (
    <div className="copy-line">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <button type="button" className="button small" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
        {state === 'copied' ? 'Copied' : state === 'failed' ? 'Select it' : 'Copy'}
      </button>
    </div>
  );
}

/** Whether the text is in the clipboard; browsers give it to pages of https and of this machine only. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
