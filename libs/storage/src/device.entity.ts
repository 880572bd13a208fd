import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A thing that is measured. */
@Entity('device')
export class DeviceEntity {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text', { unique: true })
  name!: string;
}
