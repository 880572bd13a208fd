import { ValidationPipe, type ArgumentMetadata, type Type } from '@nestjs/common';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { quote, type FieldErrorDto } from '@device-metrics/contract';
import { invalidInput, Problem } from './problem.js';

/** Checks bodies and queries against their DTO class; fields that the class does not have are errors too. */
export const validation = (): ValidationPipe =>
  new DtoValidation({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    validationError: { target: true },
    exceptionFactory: (errors) => invalidInput(errors.map(fieldError)),
  });

/** Queries that are remembered as valid, of one class, and how long they may be. */
const MOST_KNOWN = 100;
const MOST_TEXT = 1_000;

class DtoValidation extends ValidationPipe {
  /** By class and as they came: a query takes longer to check than many take to answer, and most are asked again and again. */
  private readonly known = new Map<Type, Map<string, object>>();

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const dto = this.toValidate(metadata) ? metadata.metatype : undefined;
    if (!dto) return super.transform(value, metadata);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Problem('unreadable-body', `The body must be a JSON object, got ${quote(value)}.`);
    }
    // Names that every object has, as toString, are known to class-validator, and lost on class-transformer.
    const inherited = Object.keys(value).filter((field) => field in Object.prototype);
    if (inherited.length > 0) throw invalidInput(inherited.map((field) => unknownField(field, dto)));
    if (metadata.type === 'query') return this.query(value, metadata, dto);
    if (metadata.type !== 'body') return super.transform(value, metadata);
    // Labels and tags may have these names. Fastify's parser has refused what would harm.
    const body: unknown = Object.assign(new dto() as object, value);
    const errors = await validate(body as object, this.validatorOptions);
    if (errors.length > 0) throw await this.exceptionFactory(errors);
    return body;
  }

  private async query(value: object, metadata: ArgumentMetadata, dto: Type): Promise<object> {
    let known = this.known.get(dto);
    if (!known) this.known.set(dto, (known = new Map<string, object>()));
    const text = JSON.stringify(value);
    let query = known.get(text);
    if (!query) {
      query = (await super.transform(value, metadata)) as object;
      if (known.size >= MOST_KNOWN) known.clear();
      if (text.length <= MOST_TEXT) known.set(text, query);
    }
    return Object.assign(new dto() as object, query);
  }
}

function fieldError({ property, constraints = {}, target }: ValidationError): FieldErrorDto {
  if ('whitelistValidation' in constraints) return unknownField(property, target?.constructor as Type | undefined);
  return { field: property, reason: Object.values(constraints).join('; ') };
}

const unknownField = (field: string, dto: Type | undefined): FieldErrorDto => ({
  field,
  reason: `is unknown; allowed are ${fieldsOf(dto).join(', ') || 'none'}`,
});

function fieldsOf(dto: Type | undefined): string[] {
  if (!dto) return [];
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dto, '', true, false);
  return [...new Set(metadata.map(({ propertyName }) => propertyName))];
}
