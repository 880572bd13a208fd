import { useAddress } from '../address.js';

/** Shows the page over the whole screen and without controls, for a screen that nobody sits at; Escape ends it. */
export function KioskButton() {
  const { set } = useAddress();
  const start = (): void => {
    set({ kiosk: '1' });
    document.documentElement.requestFullscreen().catch(() => undefined);
  };
  return (
    <button
      type="button"
      className="button no-kiosk"
      title="Over the whole screen, without controls; Escape ends it"
      onClick={start}
    >
      Kiosk
    </button>
  );
}
