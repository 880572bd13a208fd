import { ApiError } from '../api.js';

/** An error said where it happened, with a way on. */
export function ProblemNotice({ error, onRetry, what }: { error: Error; onRetry?: () => void; what: string }) {
  const temporary = error instanceof ApiError && error.isTemporary;
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{what}</strong> {error.message}
      </p>
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          {temporary ? 'Try now' : 'Try again'}
        </button>
      )}
    </div>
  );
}
