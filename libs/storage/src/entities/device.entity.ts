import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A thing that is measured. */
@Entity('device')
@Unique('device_name', ['name'])
export class DeviceEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  name!: string;
}
