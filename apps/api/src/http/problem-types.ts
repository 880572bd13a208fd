/** The stable code of each kind of problem and its status; docs/problems.md says when it comes and what to do. */
export const PROBLEM_TYPES = {
  'invalid-input': 400,
  'unreadable-body': 400,
  'unreadable-address': 400,
  'not-signed-in': 401,
  'foreign-host': 403,
  'foreign-origin': 403,
  'not-allowed': 403,
  'wrong-code': 403,
  'password-needed': 403,
  'unknown-address': 404,
  'unknown-device': 404,
  'unknown-user': 404,
  'unknown-token': 404,
  'unknown-invitation': 404,
  'unknown-collector': 404,
  'unknown-alert': 404,
  'unknown-alert-setup': 404,
  'unknown-incident': 404,
  'no-package': 404,
  'unknown-configuration': 404,
  'request-too-slow': 408,
  'body-too-slow': 408,
  'backup-under-way': 409,
  'last-admin': 409,
  'name-taken': 409,
  'collector-conflict': 409,
  'no-conflict': 409,
  'device-taken': 409,
  'not-mergeable': 409,
  'read-only': 409,
  'configuration-changed': 409,
  'in-use': 409,
  'link-expired': 410,
  'changed-meanwhile': 412,
  'body-too-large': 413,
  'batch-too-long': 413,
  'address-too-long': 414,
  'unsupported-content': 415,
  'request-refused': 400,
  'too-many-attempts': 429,
  'too-many-requests': 429,
  'too-many-samples': 429,
  'too-many-series': 429,
  'server-failure': 500,
  'no-backup': 501,
  'channel-failed': 502,
  'disk-full': 503,
  starting: 503,
  'database-unavailable': 503,
  'too-many-streams': 503,
  'too-many-reports': 503,
  'server-busy': 503,
  'clock-wrong': 503,
} as const satisfies Record<string, number>;

export type ProblemType = keyof typeof PROBLEM_TYPES;

/** `type` of a problem, a URI as RFC 9457 wants it. */
export const problemUri = (type: ProblemType): string => `urn:device-metrics:problem:${type}`;

/** The code of what frameworks refuse and documentation shows, where nothing more is known than the status. */
export function typeOfStatus(status: number): ProblemType {
  const type = Object.entries(PROBLEM_TYPES).find(([, known]) => known === status)?.[0];
  return (type as ProblemType | undefined) ?? 'request-refused';
}
