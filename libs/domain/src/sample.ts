/** String pairs that tell apart the series of one metric, as in `{"cpu.logical_number": "0"}`. */
export type Labels = Readonly<Record<string, string>>;

/** What a source reports. The runner adds the device and the time, which all readings of one run share. */
export interface Reading {
  /** Only where one source reads several devices; otherwise the device that the source is configured for. */
  readonly deviceName?: string;
  readonly metricName: string;
  /** UCUM, as in `By`; left out where the metric catalogue has it. */
  readonly unit?: string;
  readonly labels?: Labels;
  /** A finite double. */
  readonly value: number;
  /** When the thing itself says that this was so, Unix ms; left out: at the time of the run. */
  readonly timestamp?: number;
}

/** One timestamp and one value of a series that is spelled out by its names. */
export interface Sample {
  readonly deviceName: string;
  readonly metricName: string;
  /** UCUM; undefined where the sender does not say. */
  readonly unit: string | undefined;
  readonly labels: Labels;
  /** Integer milliseconds since the Unix epoch, UTC. */
  readonly timestamp: number;
  /** A finite double. */
  readonly value: number;
}
