import { quote } from '@device-metrics/domain';

/** What a problem of the api says, or the beginning of any other body. */
export function detailOf(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // Not of the api.
  }
  return quote(body);
}
