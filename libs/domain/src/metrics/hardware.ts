import { counter, gauge, updowncounter, type Metrics } from './definition.js';

const PART = ['hw.id', 'hw.name', 'hw.parent'] as const;
const TYPED = [...PART, 'hw.type'];
const SENSOR = [...PART, 'hw.sensor_location'];
const LINE = [...PART, 'hw.sensor_location', 'line'];

/** Of parts of the hardware: of this PC, and of devices such as UPSs, meters and switches. */
export const hardwareMetrics: Metrics = {
  'hw.temperature': gauge('Cel', 'Temperature of a part of the hardware.', SENSOR),
  'hw.temperature.limit': gauge('Cel', 'Temperature that a part of the hardware must not reach.', [
    ...SENSOR,
    'hw.limit_type',
  ]),
  'hw.fan.speed': gauge('rpm', 'Speed of a fan.', SENSOR),
  'hw.battery.charge': gauge('1', 'Charge of a battery.', PART),
  'hw.battery.time_left': gauge('s', 'Time until a battery is empty or full.', [
    ...PART,
    'hw.state',
    'hw.battery.state',
  ]),
  'hw.status': updowncounter(
    '1',
    '1 for the state that a part of the hardware is in, 0 for the others.',
    [...TYPED, 'hw.state'],
    { as: 'state' },
  ),
  'hw.errors': counter('{error}', 'Errors of a part of the hardware.', [...TYPED, 'error.type']),
  'hw.physical_disk.endurance_utilization': gauge('1', 'Share of its life that a disk has before it.', [
    ...PART,
    'hw.physical_disk.state',
  ]),
  'hw.physical_disk.smart': gauge('1', 'An attribute by which a disk tells of its health.', [
    ...PART,
    'hw.physical_disk.smart_attribute',
  ]),
  'hw.power': gauge('W', 'Power that a part of the hardware takes.', [...TYPED, 'line']),
  'hw.gpu.utilization': gauge('1', 'Share of time that a graphics processor was busy.', PART),
  'hw.gpu.memory.usage': updowncounter('By', 'Memory of a graphics processor that is in use.', PART),
  'hw.gpu.memory.limit': updowncounter('By', 'Memory of a graphics processor.', PART),
  'hw.network.up': updowncounter('1', '1 while a network interface of a device is up.', PART),
  'hw.network.bandwidth.limit': updowncounter('By/s', 'Speed of a network interface of a device.', PART),
  'hw.voltage': gauge('V', 'Voltage at a part of the hardware.', LINE),
  'hw.current': gauge('A', 'Current through a part of the hardware.', LINE),
  'hw.frequency': gauge('Hz', 'Frequency of the mains at a part of the hardware.', LINE),
  'hw.energy': counter('J', 'Energy that a part of the hardware has taken.', [...TYPED, 'line']),
  'hw.ups.utilization': gauge('1', 'Share of its power that a UPS gives.', LINE),
  'hw.ups.on_battery.time': gauge('s', 'Time since a UPS switched to its battery; 0 on mains.', PART),
  'hw.ups.alarms': updowncounter('{alarm}', 'Alarms that a UPS has.', PART),
  'device.online': gauge('1', '1 while a device says that it is there, 0 from its last will on.'),
};
