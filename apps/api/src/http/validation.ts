import { ValidationPipe } from '@nestjs/common';
import { getMetadataStorage, type ValidationError } from 'class-validator';
import type { FieldErrorDto } from '@device-metrics/contract';
import { invalidInput } from './problem.js';

/** Checks bodies and queries against their DTO class; fields that the class does not have are errors too. */
export const validation = (): ValidationPipe =>
  new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    validationError: { target: true },
    exceptionFactory: (errors) => invalidInput(errors.map(fieldError)),
  });

function fieldError({ property, constraints = {}, target }: ValidationError): FieldErrorDto {
  if ('whitelistValidation' in constraints) {
    return { field: property, reason: `is unknown; allowed are ${fieldsOf(target).join(', ') || 'none'}` };
  }
  return { field: property, reason: Object.values(constraints).join('; ') };
}

function fieldsOf(target: object | undefined): string[] {
  if (!target) return [];
  const metadata = getMetadataStorage().getTargetValidationMetadatas(target.constructor, '', true, false);
  return [...new Set(metadata.map(({ propertyName }) => propertyName))];
}
