import { counter, gauge, updowncounter, type Metrics } from './definition.js';

const SOURCE = ['source'];

/** Of the collector itself; the names are its own. */
export const collectorMetrics: Metrics = {
  'collector.info': gauge('1', 'Always 1: of which version the collector is.', ['service.version']),
  'collector.source.success': gauge(
    '1',
    '1 if the last run of a source succeeded, if only in part; 0 if it failed.',
    SOURCE,
  ),
  'collector.source.duration': gauge('s', 'How long the last run of a source took.', SOURCE),
  'collector.source.readings': gauge('{reading}', 'How many readings the last run of a source gave.', SOURCE),
  'collector.source.rejected': gauge(
    '{part}',
    'How many parts the last run of a source could not read or send.',
    SOURCE,
  ),
  'collector.spool.batches': updowncounter('{batch}', 'Batches that wait for upload.'),
  'collector.spool.samples': updowncounter('{sample}', 'Samples that wait for upload.'),
  'collector.spool.size': updowncounter('By', 'Compressed size of everything in the spool.'),
  'collector.spool.oldest_age': gauge('s', 'Age of the oldest batch that waits for upload.'),
  'collector.spool.quarantined': updowncounter('{batch}', 'Batches in quarantine.'),
  'collector.spool.evicted': counter('{sample}', 'Samples that a full spool gave up.'),
  'collector.upload.sent': counter('{sample}', 'Samples that the api has acknowledged.'),
  'collector.upload.failures': counter('{request}', 'Uploads that did not end in an acknowledgement.'),
};
