export {
  StoreFullError,
  TooLateError,
  type DeviceDescription,
  type DeviceStore,
  type ReadOptions,
  type SampleStore,
  type SeriesLatest,
  type SeriesSamples,
  type SeriesSteps,
  type SeriesSummary,
  type StepAggregate,
  type StepQuery,
  type StoredDevice,
  type Store,
  type StoreHealth,
  type StoreOperation,
  type Tier,
} from './sample-store.js';
export { dataSourceOptions } from './data-source.js';
export { DeviceEntity } from './entities/device.entity.js';
export { SeriesEntity } from './entities/series.entity.js';
export { openSampleStore } from './open-sample-store.js';
export type { StoreSettings } from './columnar-store.js';
export { Slices } from './slices.js';
export type {
  AccessStore,
  AuditEntry,
  AuditStore,
  CollectorState,
  CollectorStore,
  InvitationStore,
  Role,
  SessionStore,
  StoredAuditEntry,
  StoredCollector,
  StoredInvitation,
  StoredSession,
  StoredToken,
  StoredUser,
  TokenKind,
  TokenStore,
  UserChange,
  UserStore,
} from './access/access-store.js';
export { openAccessStore } from './access/open-access-store.js';
