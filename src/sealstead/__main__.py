from sealstead.cli.main import main

main()
