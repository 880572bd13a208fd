import { useEffect, useState } from 'react';

/** What stands behind # in the address, which no browser sends anywhere; no trace of it stays there. */
export function useHashSecret(): string {
  const [secret] = useState(() => location.hash.slice(1));
  useEffect(() => history.replaceState(null, '', location.pathname + location.search), []);
  return secret;
}
