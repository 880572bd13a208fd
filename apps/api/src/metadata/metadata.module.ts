import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { MetricDescriptions } from './metric-descriptions.js';
import { OthersMetadata } from './others-metadata.js';
import { SeriesEnds } from './series-ends.js';

/** What senders say beside samples. */
@Module({
  imports: [SampleStoreModule],
  providers: [SeriesEnds, MetricDescriptions, OthersMetadata],
  exports: [SeriesEnds, MetricDescriptions],
})
export class MetadataModule {}
