import { describe, expect, it } from '@jest/globals';
import { metricDefinition, SeriesGroup, type NamedSeries } from '@device-metrics/domain';
import { LineScanner } from '@device-metrics/formats';
import { lineMeaning, type Naming } from './name-lines.js';

const naming: Naming = { deviceTags: ['agent_host', 'source', 'host'], names: 'opentelemetry' };

const hostnames = { deviceTags: [...naming.deviceTags, 'hostname'] };

const scannerOf = (of: Naming, database: string): LineScanner<NamedSeries, SeriesGroup> =>
  new LineScanner(lineMeaning(of, database), (series, again) => new SeriesGroup(series, again), 1_000);

/** The numbers of a text, and their series, which groups name once more. */
async function samplesOf(
  scanner: LineScanner<NamedSeries, SeriesGroup>,
  text: string,
): Promise<{ readonly series: readonly NamedSeries[]; readonly values: Float64Array }> {
  const {
    series,
    groups = [],
    values,
    wrong,
  } = await scanner.scan(Buffer.from(text), { precision: 'ns', receivedAt: 0 });
  expect(wrong).toEqual([]);
  for (const group of groups) group.note(undefined, undefined);
  return { series: series ?? groups.flatMap((group) => group.series), values };
}

/** `device metric{labels} value unit` of each number of a text, however often it comes. */
async function named(text: string, { deviceTags, names }: Partial<Naming> = {}): Promise<string[]> {
  const scanner = scannerOf({ ...naming, ...(deviceTags && { deviceTags }), ...(names && { names }) }, 'db');
  const said = async (): Promise<string[]> => {
    const { series, values } = await samplesOf(scanner, text);
    return series.map(({ deviceName, metricName, labels, unit, fault }, at) => {
      const pairs = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
      return fault ? fault.reason : `${deviceName} ${metricName}{${pairs.join(',')}} ${values[at]} ${unit ?? '-'}`;
    });
  };
  const first = await said();
  for (let again = 0; again < 2; again += 1) expect(await said()).toEqual(first);
  return first;
}

describe('lines of Telegraf', () => {
  it.each([
    [
      'cpu,cpu=cpu-total,host=pc usage_user=12.5,usage_system=2.5,usage_idle=80,usage_nice=0,usage_softirq=1,usage_guest=0',
      [
        'pc system.cpu.mode.utilization{cpu.mode=user} 0.125 1',
        'pc system.cpu.mode.utilization{cpu.mode=system} 0.025 1',
        'pc system.cpu.utilization{} 0.2 1',
        'pc system.cpu.mode.utilization{cpu.mode=nice} 0 1',
        'pc system.cpu.mode.utilization{cpu.mode=softirq} 0.01 1',
        'pc cpu.usage_guest{} 0 -',
      ],
    ],
    ['cpu,cpu=cpu3,host=pc time_idle=7', ['pc system.cpu.time{cpu.logical_number=3,cpu.mode=idle} 7 s']],
    [
      'mem,host=pc total=8e9,used=2e9,buffered=1i,available_percent=75,used_percent=25',
      [
        'pc system.memory.limit{} 8000000000 By',
        'pc system.memory.usage{system.memory.state=used} 2000000000 By',
        'pc system.memory.usage{system.memory.state=buffers} 1 By',
        'pc mem.available_percent{} 75 -',
        'pc system.memory.utilization{system.memory.state=used} 0.25 1',
      ],
    ],
    [
      'disk,device=sda1,fstype=ext4,host=pc,mode=rw,path=/ used=5i,used_percent=50,inodes_free=3i',
      [
        'usage{X,system.filesystem.state=used} 5 By',
        'utilization{X} 0.5 1',
        'inodes.usage{X,system.filesystem.state=free} 3 {inode}',
      ].map(
        (one) =>
          `pc system.filesystem.${one.replace(
            'X',
            'system.device=sda1,system.filesystem.type=ext4,system.filesystem.mode=rw,system.filesystem.mountpoint=/',
          )}`,
      ),
    ],
    [
      'diskio,name=sda,host=pc read_bytes=4096i,write_time=1500i,io_time=20i,iops_in_progress=0i',
      [
        'pc system.disk.io{system.device=sda,disk.io.direction=read} 4096 By',
        'pc system.disk.operation_time{system.device=sda,disk.io.direction=write} 1.5 s',
        'pc system.disk.io_time{system.device=sda} 0.02 s',
        'pc diskio.iops_in_progress{system.device=sda} 0 -',
      ],
    ],
    [
      'net,host=pc,interface=eth0 bytes_recv=1i,drop_out=2i',
      [
        'pc system.network.io{network.interface.name=eth0,network.io.direction=receive} 1 By',
        'pc system.network.packet.dropped{network.interface.name=eth0,network.io.direction=transmit} 2 {packet}',
      ],
    ],
    [
      'system,host=pc load1=0.5,uptime=60i,n_users=2i',
      ['pc system.cpu.load_average.1m{} 0.5 {thread}', 'pc system.uptime{} 60 s', 'pc system.user.count{} 2 {user}'],
    ],
    ['temp,host=pc,sensor=coretemp_core_0 temp=48.5', ['pc hw.temperature{hw.id=coretemp_core_0} 48.5 Cel']],
    [
      'sensors,chip=nct6775,feature=fan1,host=pc fan_input=1200i\nsensors,chip=nct6775,feature=temp1,host=pc temp_crit=90\nsensors,chip=amdgpu,feature=power1,host=pc power_average=9,power_input=8',
      [
        'pc hw.fan.speed{hw.parent=nct6775,hw.id=fan1} 1200 rpm',
        'pc hw.temperature.limit{hw.parent=nct6775,hw.id=temp1,hw.limit_type=high.critical} 90 Cel',
        'pc hw.power.mean{hw.parent=amdgpu,hw.id=power1} 9 W',
        'pc hw.power{hw.parent=amdgpu,hw.id=power1} 8 W',
      ],
    ],
    [
      'docker_container_cpu,container_name=web,container_image=nginx,container_status=running,cpu=cpu-total,host=pc usage_percent=150,usage_in_usermode=2000000000i',
      [
        'pc container.cpu.usage{container.name=web,container.image.name=nginx} 1.5 {cpu}',
        'pc container.cpu.time{container.name=web,container.image.name=nginx,cpu.mode=user} 2 s',
      ],
    ],
    [
      'docker_container_net,container_name=web,network=total,host=pc rx_bytes=9i\ndocker_container_net,container_name=web,network=eth0,host=pc tx_bytes=8i',
      [
        'pc container.network.io{container.name=web,network.io.direction=receive} 9 By',
        'pc container.network.io{container.name=web,network.interface.name=eth0,network.io.direction=transmit} 8 By',
      ],
    ],
    [
      'snmp,agent_host=192.0.2.7,host=pc uptime=4200i\ninterface,agent_host=192.0.2.7,host=pc,ifDescr=port1,ifName=Gi0/1 ifHCInOctets=5i,ifHighSpeed=1000i,ifInOctets=5i',
      [
        '192.0.2.7 system.uptime{host=pc} 42 s',
        '192.0.2.7 system.network.io{host=pc,network.interface.name=Gi0/1,network.io.direction=receive} 5 By',
        '192.0.2.7 hw.network.bandwidth.limit{host=pc,hw.id=Gi0/1} 125000000 By/s',
        '192.0.2.7 interface.ifInOctets{host=pc,network.interface.name=Gi0/1} 5 -',
      ],
    ],
    [
      'ping,host=pc,url=example.org average_response_ms=12.5,percent_packet_loss=50,packets_transmitted=4i,result_code=0i',
      [
        'pc ping.duration.mean{server.address=example.org} 0.0125 s',
        'pc ping.packet_loss{server.address=example.org} 0.5 1',
        'pc ping.packets.transmitted{server.address=example.org} 4 {packet}',
        'pc ping.result_code{server.address=example.org} 0 -',
      ],
    ],
  ])('%s', async (text, expected) => {
    expect(await named(text)).toEqual(expected);
  });

  it('become metrics of the catalogue in its unit, where it has them', async () => {
    const text =
      'cpu,host=a usage_idle=1,time_user=1\nmem,host=a used_percent=1\nswap,host=a used=1\ndiskio,host=a io_time=1';
    for (const one of await named(text)) {
      const [, metric = '', , unit] = one.split(/[ {]/).filter((part) => !part.endsWith('}'));
      expect([metric, metricDefinition(metric)?.unit]).toEqual([metric, unit]);
    }
  });
});

describe('lines of others', () => {
  it('have the name of measurement and field, and the device of the first tag that is for devices', async () => {
    expect(await named('weather,host=roof,place=north temp=1,value=2')).toEqual([
      'roof weather.temp{place=north} 1 -',
      'roof weather{place=north} 2 -',
    ]);
    expect(await named('weather,id=7,host=roof value=2', { deviceTags: ['id'] })).toEqual(['7 weather{host=roof} 2 -']);
    expect(await named('weather value=2')).toEqual(['db weather{} 2 -']);
  });

  it('that a metric name cannot have stay apart by a label', async () => {
    expect(await named('温度 value=1\n湿度 value=2\n1st\\ one,name=x a\\ b=3')).toEqual([
      'db __{name=温度} 1 -',
      'db __{name=湿度} 2 -',
      'db _1st_one.a_b{name=x,sent.name=1st one.a b} 3 -',
    ]);
  });

  it('of Glances become what the collector calls them, and no others that are called as Telegraf', async () => {
    expect(
      await named(
        [
          'cpu,hostname=pc cpu_user_careful=50,idle=20,total=80,user=60',
          'percpu,cpu_number=1.0,hostname=pc iowait=1',
          'mem,hostname=pc free=5,available=5,percent=50',
          'fs,hostname=pc,mnt_point=/ fs_type="ext4",size=9,percent=25',
          'diskio,disk_name=sda,hostname=pc read_bytes=1,read_bytes_gauge=7',
          'network,hostname=pc,interface_name=eth0 rx=1,cumulative_rx=7',
          'uptime,hostname=pc seconds=62819.0',
          'office.cpu,hostname=pc total=80',
        ].join('\n'),
        hostnames,
      ),
    ).toEqual([
      'pc cpu.cpu_user_careful{} 50 -',
      'pc cpu.idle{} 20 -',
      'pc system.cpu.utilization{} 0.8 1',
      'pc system.cpu.mode.utilization{cpu.mode=user} 0.6 1',
      'pc system.cpu.mode.utilization{cpu.logical_number=1,cpu.mode=iowait} 0.01 1',
      'pc mem.free{} 5 -',
      'pc system.memory.linux.available{} 5 By',
      'pc system.memory.utilization{system.memory.state=used} 0.5 1',
      'pc system.filesystem.limit{system.filesystem.mountpoint=/} 9 By',
      'pc system.filesystem.utilization{system.filesystem.mountpoint=/} 0.25 1',
      'pc diskio.read_bytes{system.device=sda} 1 -',
      'pc system.disk.io{system.device=sda,disk.io.direction=read} 7 By',
      'pc network.rx{network.interface.name=eth0} 1 -',
      'pc system.network.io{network.interface.name=eth0,network.io.direction=receive} 7 By',
      'pc system.uptime{} 62819 s',
      'pc office.cpu.total{} 80 -',
    ]);
  });

  it('of Icinga belong to the host that they name', async () => {
    expect(
      await named(
        'mine,hostname=web\\ 1\\,x\\=y,service=disk\\ C:_,metric=disk\\ /var crit=95,unit="percent",value=88,warn=90',
        hostnames,
      ),
    ).toEqual([
      'web 1,x=y mine.crit{service=disk C:_,metric=disk /var} 95 %',
      'web 1,x=y mine{service=disk C:_,metric=disk /var} 88 %',
      'web 1,x=y mine.warn{service=disk C:_,metric=disk /var} 90 %',
    ]);
    const lines = [
      'disk,hostname=box,metric=/ crit=6e9,max=6e9,min=0,unit="bytes",value=26e8,warn=5e9',
      'disk,hostname=box,metric=rta value=0.0015,unit="seconds",x=1',
      'disk,hostname=box,metric=t unit="degrees-celsius",value=41.2',
      'disk,hostname=box,metric=n value=3',
      'sensors,hostname=box,label=Core unit="C",value=55,type="core"',
      'sensors,hostname=box,label=Site unit="Unit 7",value=1',
      // As long as it is the same, and whatever it becomes.
      'disk,hostname=box,metric=t unit="degrees-celsius",value=41.5',
      'disk,hostname=box,metric=t unit="volts",value=42',
      'disk,hostname=box,metric=t unit="watts",value=43,unit="volts",crit=1',
    ];
    expect(await named(lines.join('\n'), hostnames)).toEqual([
      'box disk.crit{metric=/} 6000000000 By',
      'box disk.max{metric=/} 6000000000 By',
      'box disk.min{metric=/} 0 By',
      'box disk{metric=/} 2600000000 By',
      'box disk.warn{metric=/} 5000000000 By',
      'box disk{metric=rta} 0.0015 s',
      'box disk.x{metric=rta} 1 -',
      'box disk{metric=t} 41.2 Cel',
      'box disk{metric=n} 3 -',
      'box sensors{label=Core} 55 Cel',
      'box sensors{label=Site} 1 -',
      'box disk{metric=t} 41.5 Cel',
      'box disk{metric=t} 42 V',
      'box disk{metric=t} 43 W',
      'box disk.crit{metric=t} 1 W',
    ]);
  });

  it('of Home Assistant become what their unit measures', async () => {
    const tags = 'domain=sensor,entity_id=attic,source=HA';
    expect(
      await named(`°C,${tags} value=21.5\n%,${tags} value=40\nkWh,${tags} value=1\nppm,${tags} value=400,min=1`),
    ).toEqual([
      'HA homeassistant.temperature{domain=sensor,entity_id=attic} 21.5 Cel',
      'HA homeassistant.ratio{domain=sensor,entity_id=attic} 0.4 1',
      'HA homeassistant.energy{domain=sensor,entity_id=attic} 3600000 J',
      'HA homeassistant.value{domain=sensor,entity_id=attic} 400 ppm',
      'HA ppm.min{domain=sensor,entity_id=attic} 1 -',
    ]);
    // Those of `measurement_attr: entity_id` and `domain__device_class` are no units.
    for (const measurement of ['sensor.attic', 'sensor__temperature', 'sensor', 'state']) {
      expect(await named(`${measurement},domain=sensor,entity_id=attic value=1`)).toEqual([
        'db homeassistant.value{domain=sensor,entity_id=attic} 1 -',
      ]);
    }
  });

  it('of Proxmox become what the collector calls them', async () => {
    expect(await named('system,object=qemu,vmid=100,nodename=pve,host=web cpu=0.25,mem=5i,uptime=9i,netin=1i')).toEqual(
      [
        'web system.cpu.utilization{object=qemu,vmid=100,nodename=pve} 0.25 1',
        'web system.memory.usage{object=qemu,vmid=100,nodename=pve,system.memory.state=used} 5 By',
        'web system.uptime{object=qemu,vmid=100,nodename=pve} 9 s',
        'web system.network.io{object=qemu,vmid=100,nodename=pve,network.io.direction=receive} 1 By',
      ],
    );
    const lines = [
      'cpustat,object=nodes,host=pve avg1=0.5,cpu=0.1,ctime=1.5,iowait=77,wait=0.02',
      'memory,object=nodes,host=pve memavailable=6i,swapfree=3i,swapused=1i,swaptotal=4i',
      'nics,object=nodes,host=pve,instance=eno1 receive=10,transmit=20,type="physical"',
      'nics,object=qemu,vmid=100,nodename=pve,host=web,instance=net0 netin=1',
      'blockstat,object=nodes,host=pve bavail=60,blocks=100,per=40,used=30',
      'system,object=storages,nodename=pve,host=local,type=dir active=1,avail=6,total=9,type="dir",used=3',
      // Proxmox Backup Server.
      'blockstat,object=host,host=pbs,datastore=big avail=6,read_bytes=5,total=9,used=3',
      'nics,object=host,host=pbs,instance=eno1 device="eno1",receive=10,send=20',
    ];
    expect(await named(lines.join('\n'))).toEqual([
      'pve system.cpu.load_average.1m{object=nodes} 0.5 {thread}',
      'pve system.cpu.utilization{object=nodes} 0.1 1',
      'pve cpustat.ctime{object=nodes} 1.5 -',
      'pve cpustat.iowait{object=nodes} 77 -',
      'pve system.cpu.mode.utilization{object=nodes,cpu.mode=iowait} 0.02 1',
      'pve system.memory.linux.available{object=nodes} 6 By',
      'pve system.paging.usage{object=nodes,system.paging.state=free} 3 By',
      'pve system.paging.usage{object=nodes,system.paging.state=used} 1 By',
      'pve memory.swaptotal{object=nodes} 4 -',
      'pve system.network.io{object=nodes,network.interface.name=eno1,network.io.direction=receive} 10 By',
      'pve system.network.io{object=nodes,network.interface.name=eno1,network.io.direction=transmit} 20 By',
      'web nics.netin{object=qemu,vmid=100,nodename=pve,instance=net0} 1 -',
      'pve system.filesystem.usage{object=nodes,system.filesystem.mountpoint=/,system.filesystem.state=free} 60 By',
      'pve system.filesystem.limit{object=nodes,system.filesystem.mountpoint=/} 100 By',
      'pve system.filesystem.utilization{object=nodes,system.filesystem.mountpoint=/} 0.4 1',
      'pve system.filesystem.usage{object=nodes,system.filesystem.mountpoint=/,system.filesystem.state=used} 30 By',
      'local system.active{object=storages,nodename=pve,type=dir} 1 -',
      'local system.filesystem.usage{object=storages,nodename=pve,type=dir,system.filesystem.state=free} 6 By',
      'local system.filesystem.limit{object=storages,nodename=pve,type=dir} 9 By',
      'local system.filesystem.usage{object=storages,nodename=pve,type=dir,system.filesystem.state=used} 3 By',
      'pbs system.filesystem.usage{object=host,datastore=big,system.filesystem.state=free} 6 By',
      'pbs system.disk.io{object=host,datastore=big,disk.io.direction=read} 5 By',
      'pbs system.filesystem.limit{object=host,datastore=big} 9 By',
      'pbs system.filesystem.usage{object=host,datastore=big,system.filesystem.state=used} 3 By',
      'pbs system.network.io{object=host,network.interface.name=eno1,network.io.direction=receive} 10 By',
      'pbs system.network.io{object=host,network.interface.name=eno1,network.io.direction=transmit} 20 By',
    ]);
  });

  it('stay as they are sent where that is wanted', async () => {
    expect(await named('cpu,cpu=cpu-total,host=pc usage_idle=80', { names: 'as-sent' })).toEqual([
      'pc cpu.usage_idle{cpu=cpu-total} 80 -',
    ]);
  });

  it('without a device, or with names that nobody may have, say why', async () => {
    const { series } = await samplesOf(scannerOf(naming, ''), 'm f=1');
    expect(series[0]?.fault).toMatchObject({ field: 'device_name' });
    expect((await named(`m,host=${'x'.repeat(129)} f=1`))[0]).toMatch(
      /^must be a string of 1 to 128 printable characters/,
    );
  });
});
