import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A thing that is measured, and what people say of it. */
@Entity('device')
@Unique('device_name', ['name'])
export class DeviceEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'display_name', type: 'text', nullable: true })
  displayName!: string | null;

  @Column({ type: 'text', nullable: true })
  notes!: string | null;

  /** JSON of string pairs. */
  @Column({ type: 'text', default: '{}' })
  tags!: string;

  /** Of all the others; null in a row from before. See row-checksum.ts. */
  @Column({ type: 'integer', nullable: true, select: false })
  checksum?: number | null;
}
