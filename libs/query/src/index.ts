export { QueryRefusal } from './refusal.js';
export { NO_LIMIT, refuseBeyond, type QueryLimit } from './cost.js';
export { divide, rangeOf, type StepParameters, type Steps } from './divide.js';
export { hourlyUntilOf, plan, type Plan, type Question } from './plan.js';
export { read, type TableReadOptions } from './read.js';
export { quantilesOfGroups, type CountedSeries, type Quantiles } from './quantiles.js';
export type { Position, SeriesTable } from './series-table.js';
export {
  figuresOfSummary,
  numbersOf,
  type Figures,
  type NumbersBasis,
  type Points,
  type ThingNumbers,
} from './numbers.js';
export { thingOf, thingsOf, type NumberKind, type Thing } from './things.js';
export { lastBefore, type LastSample, type LastSamples } from './look-back.js';
export { AT_ONCE, inGroups } from './series-groups.js';
export { samplesAfter } from './step-columns.js';
