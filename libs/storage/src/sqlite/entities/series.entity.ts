import { Column, Entity, JoinColumn, ManyToOne, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { DeviceEntity } from './device.entity.js';

/** One device, one metric, one set of labels. */
@Entity('series')
@Unique('series_key', ['deviceId', 'metricName', 'labelsKey'])
export class SeriesEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ name: 'device_id', type: 'integer' })
  deviceId!: number;

  @ManyToOne(() => DeviceEntity)
  @JoinColumn({ name: 'device_id', foreignKeyConstraintName: 'series_device' })
  device?: DeviceEntity;

  @Column({ name: 'metric_name', type: 'text' })
  metricName!: string;

  /** What `labelsKey` of the domain makes of the labels: JSON with sorted keys. */
  @Column({ name: 'labels_key', type: 'text' })
  labelsKey!: string;

  /** UCUM. */
  @Column({ type: 'text', nullable: true })
  unit!: string | null;

  /** Of all the others; null in a row from before. See row-checksum.ts. */
  @Column({ type: 'integer', nullable: true, select: false })
  checksum?: number | null;
}
