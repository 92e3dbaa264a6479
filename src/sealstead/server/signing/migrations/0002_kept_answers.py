from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signing", "0001_initial")]

    operations = [
        # Rows of before hold no answer; without them a repeat is signed anew.
        migrations.RunSQL("DELETE FROM signing_signrequest", migrations.RunSQL.noop),
        migrations.AddField("signrequest", "answer", models.BinaryField(default=b""), preserve_default=False),
    ]
