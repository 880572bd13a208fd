import { useQuery, type QueryClient } from '@tanstack/react-query';
import { change, connection, read, type Schema } from '../api.js';

export type Session = Schema<'SessionDto'>;

const KEY = ['session'] as const;

/** Who this is, and what they may do; undefined until the api has said it. */
export const useSession = (): { session: Session | undefined; isPending: boolean } => {
  const { data, isPending } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => read('/api/v1/session', {}, { signal }),
    staleTime: 60_000,
  });
  return { session: data, isPending };
};

/** Whether who this is has a right, such as `devices:write`: what they may not do they are not offered. */
export const useMay = (right: string): boolean => useSession().session?.caller?.rights.includes(right) ?? false;

/** Whether they may set up alerts, which are of the whole site: not who is limited to some devices. */
export function useMaySetUp(): boolean {
  const may = useMay('alerts:write');
  return (useSession().session?.caller?.tags ?? null) === null && may;
}

/** Equal for sessions of the same person who may do the same. */
export const personOf = ({ caller }: Session): string =>
  JSON.stringify([caller?.kind, caller?.name, caller?.rights, caller?.tags, caller?.page]);

/**
 * Goes on as who this is now: nothing that was read as somebody else stays.
 *
 * @param before whose session has ended on this page; undefined where nobody's has.
 */
export function become(client: QueryClient, session: Session, before?: string): void {
  if (personOf(session) !== before) client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
  client.setQueryData(KEY, session);
  connection.set({ signedOut: false });
}

/** Forgets who this is. The page is loaded anew, so that nothing of before is on it. */
export async function signOut(): Promise<void> {
  await change('DELETE', '/api/v1/session');
  location.assign('/');
}
