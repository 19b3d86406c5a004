export class Tensor {}
