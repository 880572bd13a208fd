/** Memory for times and values that a decoder may take over. */
export interface SpareColumns {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

/** The memory of decoded columns, once nobody looks at them any more. */
export const spareOf = ({ timestamps, values }: SpareColumns): SpareColumns => ({
  timestamps: new Float64Array(timestamps.buffer),
  values: new Float64Array(values.buffer),
});
