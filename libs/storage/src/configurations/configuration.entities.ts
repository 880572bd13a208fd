import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ConfigurationAllowance, StoredConfiguration, StoredConfigurationState } from './configuration-store.js';

@Entity('configuration')
export class ConfigurationEntity implements StoredConfiguration {
  @PrimaryColumn({ type: 'text' })
  tag!: string;
  @PrimaryColumn({ type: 'integer' })
  version!: number;
  @Column({ type: 'text', nullable: true })
  text!: string | null;
  @Column({ name: 'changed_at', type: 'integer' })
  changedAt!: number;
  @Column({ name: 'changed_by', type: 'text' })
  changedBy!: string;
}

@Entity('configuration_state')
export class ConfigurationStateEntity implements StoredConfigurationState {
  @PrimaryColumn({ name: 'collector_id', type: 'text' })
  collectorId!: string;
  @Column({ name: 'asked_at', type: 'integer' })
  askedAt!: number;
  @Column({ type: 'simple-json' })
  allows!: ConfigurationAllowance;
  @Column({ type: 'text' })
  running!: string;
  @Column({ type: 'text' })
  refused!: string;
  @Column({ type: 'text' })
  reason!: string;
}

export const configurationEntities = [ConfigurationEntity, ConfigurationStateEntity];
