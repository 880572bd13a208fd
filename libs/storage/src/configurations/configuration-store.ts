/** One version of what collectors are to read whose devices have a tag. */
export interface StoredConfiguration {
  /** As in `room=lab`; `all`: whatever tags they have. */
  readonly tag: string;
  /** From 1 on. */
  readonly version: number;
  /** YAML; null: from this version on there is none. */
  readonly text: string | null;
  /** Unix milliseconds. */
  readonly changedAt: number;
  /** Who, as the audit names them. */
  readonly changedBy: string;
}

/** What the PC of a collector lets a configuration of the api do. */
export interface ConfigurationAllowance {
  /** Whether it may name programs to run. */
  readonly commands: boolean;
  /** What may stand in its `${…}`, by their names. */
  readonly secrets: readonly string[];
}

/** What a collector that takes its configuration from the api last said of it. */
export interface StoredConfigurationState {
  readonly collectorId: string;
  /** Unix milliseconds, to some minutes. */
  readonly askedAt: number;
  readonly allows: ConfigurationAllowance;
  /** Of the text that it runs; empty: none. */
  readonly running: string;
  /** Of the text that it has refused since; empty: none. */
  readonly refused: string;
  /** Why. */
  readonly reason: string;
}

export interface ConfigurationStore {
  /** The newest version of each tag that has one, by tag. */
  current(): Promise<StoredConfiguration[]>;
  /** Versions of a tag, the newest first, also those that took it away; the texts too. */
  history(tag: string, limit: number): Promise<StoredConfiguration[]>;
  find(tag: string, version: number): Promise<StoredConfiguration | undefined>;
  /** False where there is this version of this tag already: somebody else was faster. */
  add(configuration: StoredConfiguration): Promise<boolean>;
  states(): Promise<StoredConfigurationState[]>;
  putState(state: StoredConfigurationState): Promise<void>;
}
