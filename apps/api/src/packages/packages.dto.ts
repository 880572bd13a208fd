import { ApiProperty } from '@device-metrics/contract/openapi';
import type { PackageFacts } from '@device-metrics/domain';

/** A package of the collector. */
export class PackageDto {
  @ApiProperty({ example: 'device-metrics-collector_0.1.0_linux_x64.tar.gz' })
  name!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ example: 'linux' })
  system!: string;

  @ApiProperty({ example: 'x64' })
  architecture!: string;

  @ApiProperty({ example: 36_000_000, description: 'Bytes.' })
  size!: number;

  @ApiProperty({ example: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' })
  sha256!: string;
}

export class PackagesDto {
  @ApiProperty({ type: [PackageDto] })
  packages!: PackageDto[];
}

export const packageDto = ({ name, version, system, architecture, size, sha256 }: PackageFacts): PackageDto => ({
  name,
  version,
  system,
  architecture,
  size,
  sha256,
});
