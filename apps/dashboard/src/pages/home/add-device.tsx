import { useRef } from 'react';
import { CopyLine } from '../../parts/copy-line.js';

/** The command that starts a collector which sends to this api. */
export const collectorCommand = (origin: string): string =>
  `npm ci && npm run build && API_URL=${origin} node apps/collector/dist/main.js`;

/** The button that says how one more PC comes into the table. */
export function AddDevice() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" className="button primary" onClick={() => dialog.current?.showModal()}>
        Add a PC
      </button>
      <dialog ref={dialog} aria-labelledby="add-device-title">
        <div className="stack">
          <h2 id="add-device-title">Add a PC</h2>
          <p>
            In the folder of Device Metrics on that PC, with Node installed. It appears here with its first reading.
          </p>
          <CopyLine text={collectorCommand(window.location.origin)} label="Command that starts a collector" />
          <p className="soft">
            Switches, sensors and other things on the network are read by a collector too: name them in its
            collector.yaml.
          </p>
          <div className="actions">
            <button type="button" className="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
          </div>
        </div>
      </dialog>
    </>
  );
}
