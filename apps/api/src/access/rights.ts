import type { Role, TokenKind } from '@device-metrics/storage';

/** What a route may need. */
export const RIGHTS = [
  'samples:write',
  'reports:read',
  'devices:write',
  'devices:delete',
  'alerts:write',
  'shares:write',
  'server:read',
  'server:backup',
  'access:manage',
  'audit:read',
  'collector:self',
] as const;

export type Right = (typeof RIGHTS)[number];

const VIEWER: readonly Right[] = ['reports:read', 'server:read'];
const EDITOR: readonly Right[] = [...VIEWER, 'devices:write', 'alerts:write', 'shares:write'];
const ADMIN: readonly Right[] = [
  ...EDITOR,
  'samples:write',
  'devices:delete',
  'server:backup',
  'access:manage',
  'audit:read',
];

export const RIGHTS_OF_ROLE: Readonly<Record<Role, readonly Right[]>> = {
  viewer: VIEWER,
  editor: EDITOR,
  admin: ADMIN,
};

export const RIGHTS_OF_TOKEN: Readonly<Record<TokenKind, readonly Right[]>> = {
  ingest: ['samples:write'],
  collector: ['samples:write', 'collector:self'],
  read: VIEWER,
  share: ['reports:read'],
  admin: ADMIN,
};

/** What concerns the whole site, and so nobody who is limited to some devices. */
const OF_THE_SITE: ReadonlySet<Right> = new Set(['server:read', 'server:backup', 'access:manage', 'audit:read']);

/** What is left of rights for someone who is limited to some devices. */
export const withinLimits = (rights: readonly Right[]): readonly Right[] =>
  rights.filter((right) => !OF_THE_SITE.has(right));
