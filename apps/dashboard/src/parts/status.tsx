/** The status of a device, told by shape and word as well as by colour. */
export function Status({ status, words }: { status: 'online' | 'late' | 'offline'; words?: string }) {
  return (
    <span className={`status ${status}`}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        {status === 'online' && <circle cx="5" cy="5" r="4" />}
        {status === 'late' && (
          <>
            <circle cx="5" cy="5" r="4" className="outline" />
            <path d="M5 1a4 4 0 0 1 0 8z" />
          </>
        )}
        {status === 'offline' && <path d="M1.5 1.5l7 7m0-7l-7 7" className="outline" />}
      </svg>
      {words ?? status}
    </span>
  );
}
