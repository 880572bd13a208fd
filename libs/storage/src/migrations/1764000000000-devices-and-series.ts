import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DevicesAndSeries1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE device (
      id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
      name TEXT NOT NULL UNIQUE
    )`);
    await runner.query(`CREATE TABLE series (
      id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
      device_id INTEGER NOT NULL REFERENCES device (id),
      metric_name TEXT NOT NULL,
      labels TEXT NOT NULL,
      unit TEXT,
      UNIQUE (device_id, metric_name, labels)
    )`);
    await runner.query(`CREATE TABLE sample (
      series_id INTEGER NOT NULL,
      timestamp INTEGER NOT NULL,
      value REAL NOT NULL,
      PRIMARY KEY (series_id, timestamp)
    ) WITHOUT ROWID`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sample');
    await runner.query('DROP TABLE series');
    await runner.query('DROP TABLE device');
  }
}
