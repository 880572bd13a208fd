export {
  DeviceTakenError,
  NotMergeableError,
  StoreFullError,
  StoreUnavailableError,
  TooLateError,
  TooManySeriesError,
  type DeviceDescription,
  type DeviceStore,
  type ReadOptions,
  type RefusedGroup,
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
  type SummaryPart,
  type Tier,
  type OthersSamples,
} from './store.js';
export { sqliteDriver, SqliteUnavailableError, type FileLock } from '@device-metrics/sqlite';
export { dataSourceOptions, openDataSource } from './data-source.js';
export { DatabaseRefusedError, durabilityOf } from './postgres/data-source.js';
export { asUnavailable } from './postgres/unavailable.js';
export { asRefusal } from './sqlite/refusal.js';
export { isPostgresUrl, shownUrl } from './postgres/connection.js';
export { DeviceEntity } from './sqlite/entities/device.entity.js';
export { SeriesEntity } from './sqlite/entities/series.entity.js';
export { copyDatabase, type CopyReport } from './copy-database.js';
export { openSampleStore } from './open-sample-store.js';
export { distributeTables } from './postgres/distribute.js';
export {
  assertReadable,
  checkDatabase,
  copySqlite,
  isInUse,
  schemaStateOf,
  type DatabaseContent,
  type SchemaState,
} from './sqlite/upkeep.js';
export { DatabaseTakenError, takeDatabase } from './sqlite/take-database.js';
export { repairDatabase, type RepairReport } from './sqlite/repair.js';
export type { StoreSettings } from './columnar/store-settings.js';
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
  StoredUpdate,
  StoredUser,
  TokenKind,
  TokenStore,
  UserChange,
  UserStore,
} from './access/access-store.js';
export { MADE_BY_START } from './access/access-store.js';
export { openAccessStore } from './access/open-access-store.js';
export type {
  ConfigurationAllowance,
  ConfigurationStore,
  StoredConfiguration,
  StoredConfigurationState,
} from './configurations/configuration-store.js';
export { openConfigurationStore } from './configurations/open-configuration-store.js';
export type {
  AlertChange,
  AlertDocument,
  AlertDocumentKind,
  AlertHistoryFilter,
  AlertKey,
  AlertMessage,
  AlertStep,
  AlertStore,
  StoredAlertChange,
  StoredAlertMessage,
  StoredAlertState,
} from './alerts/alert-store.js';
export { openAlertStore } from './alerts/open-alert-store.js';
export {
  openMetadataStore,
  type MetricDescription,
  type MetadataStore,
  type SeriesEnd,
} from './metadata/metadata-store.js';
export { FAR_AHEAD } from './columnar/hour.js';
