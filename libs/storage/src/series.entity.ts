import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** One device, one metric, one set of labels. */
@Entity('series')
@Unique(['deviceId', 'metricName', 'labels'])
export class SeriesEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('integer', { name: 'device_id' })
  deviceId!: number;

  @Column('text', { name: 'metric_name' })
  metricName!: string;

  /** JSON with sorted keys: see `labelsKey`. */
  @Column('text')
  labels!: string;

  /** UCUM. */
  @Column('text', { nullable: true })
  unit!: string | null;
}
