// A program that is linked statically.
int main() {}
