import type { Sample } from '@device-metrics/domain';

export const SERIES: number;
export const TIME_STEP: number;
export function sampleAt(number: number): Sample;
export function sampleInOneHour(number: number): Sample;
